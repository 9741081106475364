import { useState } from 'preact/hooks';
import type { Session } from '../session.ts';
import { ConnectionBar } from './connection_bar.tsx';
import { useFrames } from './hooks.ts';
import { NoticeBar } from './notice_bar.tsx';
import { Operations } from './operations.tsx';
import { Panes } from './panes.tsx';
import { SettingButtons, type Settings } from './settings.tsx';
import { useWords } from './words.ts';

interface Properties {
  readonly session: Session;
  readonly settings: Settings;
  readonly onSignOut: () => void;
}

type View = 'trading' | 'operations';

/** The page of somebody who is signed in. */
export function Desk({ session, settings, onSignOut }: Properties) {
  const words = useWords();
  const [view, setView] = useState<View>('trading');
  useFrames(session.frames);
  const { status } = session;
  const views: readonly View[] = status.grants.includes('admin') ? ['trading', 'operations'] : ['trading'];
  const shown = views.includes(view) ? view : 'trading';

  const onTabKey = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
    const next = views[(views.indexOf(shown) + 1) % views.length]!;
    setView(next);
    document.getElementById(`tab-${next}`)?.focus();
  };

  return (
    <div class="desk" data-state={status.state} data-testid="desk">
      <header class="top">
        <h1 class="brand">Carillon</h1>
        <div class="tabs" role="tablist" aria-label={words.views}>
          {views.map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              id={`tab-${each}`}
              data-testid={`tab-${each}`}
              aria-selected={each === shown}
              aria-controls="view"
              tabIndex={each === shown ? 0 : -1}
              onClick={() => setView(each)}
              onKeyDown={onTabKey}
            >
              {words[each]}
            </button>
          ))}
        </div>
        <span class="spring" />
        {status.userId !== undefined && (
          <span class="user" data-testid="user">
            <span class="muted">{words.user}</span> {status.userId}
          </span>
        )}
        <SettingButtons settings={settings} />
        <button type="button" data-testid="sign-out" onClick={onSignOut}>
          {words.signOut}
        </button>
      </header>
      <ConnectionBar status={status} />
      <NoticeBar session={session} />
      <main id="main" tabIndex={-1}>
        <div class="view" id="view" role="tabpanel" aria-labelledby={`tab-${shown}`}>
          {shown === 'trading' ? <Panes board={session.board} /> : <Operations session={session} />}
        </div>
      </main>
    </div>
  );
}
