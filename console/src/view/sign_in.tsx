import { SettingButtons, type Settings } from './settings.tsx';
import { TokenForm } from './token_form.tsx';
import { useWords } from './words.ts';

interface Properties {
  /** Why the last token was refused. */
  readonly refusal: string | undefined;
  readonly settings: Settings;
  readonly onToken: (token: string) => void;
}

export function SignIn({ refusal, settings, onToken }: Properties) {
  const words = useWords();
  return (
    <div class="sign-in">
      <div class="sign-in-settings">
        <SettingButtons settings={settings} />
      </div>
      <main id="main" class="card" tabIndex={-1} data-testid="sign-in">
        <h1 class="brand">Carillon</h1>
        <p class="muted">{words.tagline}</p>
        {refusal && (
          <p class="fault" role="alert" data-testid="refusal">
            {refusal}
          </p>
        )}
        <TokenForm id="token" label={words.signIn.token} submit={words.signIn.submit} onToken={onToken} />
        <p class="muted">{words.signIn.help}</p>
        <a href="reference/index.html">{words.reference}</a>
      </main>
    </div>
  );
}
