import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import { showColours } from './colours.ts';
import { preferences } from './preferences.ts';
import { Session } from './session.ts';
import { dictionaries, languageTags, type Language } from './text/languages.ts';
import { keptToken, takeTokenFromFragment } from './token.ts';
import { Desk } from './view/desk.tsx';
import { refusalText } from './view/refusal.ts';
import { SignIn } from './view/sign_in.tsx';
import { Words } from './view/words.ts';

/** The whole page: signed out, or at the desk. */
export function App() {
  const [language, setLanguage] = useState(preferences.language);
  const [theme, setTheme] = useState(preferences.theme);
  const [session, setSession] = useState(() => begin(keptToken.get()));
  const [refusal, setRefusal] = useState<Session['status']['reason']>();
  const words = dictionaries[language];

  useEffect(() => {
    document.documentElement.lang = languageTags[language];
    preferences.setLanguage(language);
  }, [language]);
  useEffect(() => preferences.setTheme(theme), [theme]);
  useLayoutEffect(() => showColours(theme), [theme]); // before anything is painted

  const signOut = (): void => {
    session?.close();
    keptToken.forget();
    setSession(undefined);
  };
  const signIn = (token: string): void => {
    session?.close();
    keptToken.set(token);
    setRefusal(undefined);
    setSession(begin(token));
  };

  // A token refused before there was anything to show: back to the beginning, with the reason.
  useEffect(() => {
    const leaveIfRefused = (): void => {
      if (session?.status.state !== 'refused' || session.wasAccepted) return;
      setRefusal(session.status.reason);
      signOut();
    };
    leaveIfRefused(); // it may have been before anybody listened
    return session?.frames.listen(leaveIfRefused);
  }, [session]);
  // The address with another token, entered in this tab.
  useEffect(() => {
    const onHash = (): void => {
      const token = takeTokenFromFragment();
      if (token) signIn(token);
    };
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  });

  const settings = {
    otherLanguage: () => setLanguage((now: Language) => (now === 'en' ? 'zh' : 'en')),
    theme,
    setTheme,
  };
  return (
    <Words.Provider value={words}>
      <a class="skip" href="#main">
        {words.skip}
      </a>
      {session ? (
        // Each sign-in has a desk of its own: nothing that one has opened is on another's.
        <Desk key={session} session={session} settings={settings} onSignOut={signOut} />
      ) : (
        <SignIn refusal={refusal && refusalText(words, refusal)} settings={settings} onToken={signIn} />
      )}
    </Words.Provider>
  );
}

const begin = (token: string | undefined): Session | undefined => (token ? new Session(token) : undefined);
