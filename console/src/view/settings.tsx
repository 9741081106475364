import type { Theme } from '../preferences.ts';
import { useWords } from './words.ts';

export interface Settings {
  readonly otherLanguage: () => void;
  readonly theme: Theme;
  readonly setTheme: (theme: Theme) => void;
}

const THEMES: readonly Theme[] = ['auto', 'light', 'dark'];

/** Language and colours. */
export function SettingButtons({ settings }: { settings: Settings }) {
  const words = useWords();
  const next = THEMES[(THEMES.indexOf(settings.theme) + 1) % THEMES.length]!;
  return (
    <>
      <button
        type="button"
        class="theme-button"
        data-testid="theme"
        aria-label={`${words.theme.label}: ${words.theme[settings.theme]}`}
        onClick={() => settings.setTheme(next)}
      >
        ◐ {words.theme[settings.theme]}
      </button>
      <button
        type="button"
        data-testid="language"
        lang={words.language === 'English' ? 'zh' : 'en'}
        onClick={settings.otherLanguage}
      >
        {words.otherLanguage}
      </button>
    </>
  );
}
