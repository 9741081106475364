import type { Theme } from './preferences.ts';

/** Gives the page the theme's colours; 'auto' has those of the system, also when they change. Returns what ends that. */
export function showColours(theme: Theme): () => void {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
  const show = (): void => {
    const system = systemIsDark.matches ? 'dark' : 'light';
    document.documentElement.dataset.theme = theme === 'auto' ? system : theme;
  };
  show();
  systemIsDark.addEventListener('change', show);
  return () => systemIsDark.removeEventListener('change', show);
}
