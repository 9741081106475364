import { useState } from 'preact/hooks';
import { tokenOf } from '../token.ts';
import { useWords } from './words.ts';

interface Properties {
  readonly id: string;
  readonly label: string;
  readonly submit: string;
  readonly onToken: (token: string) => void;
}

/** Where a token is pasted. What is typed is not shown, not kept by the browser and sent nowhere by the form itself. */
export function TokenForm({ id, label, submit, onToken }: Properties) {
  const words = useWords();
  const [pasted, setPasted] = useState('');
  const [isMissing, setMissing] = useState(false);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    const token = tokenOf(pasted);
    setMissing(!token);
    if (!token) return;
    setPasted('');
    onToken(token);
  };
  return (
    <form class="token-form" onSubmit={onSubmit} noValidate>
      <label for={id}>{label}</label>
      <input
        id={id}
        data-testid={id}
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={pasted}
        aria-invalid={isMissing}
        aria-describedby={isMissing ? `${id}-missing` : undefined}
        onInput={(event) => setPasted(event.currentTarget.value)}
      />
      <button type="submit" class="primary" data-testid={`${id}-submit`}>
        {submit}
      </button>
      {isMissing && (
        <p id={`${id}-missing`} class="fault">
          {words.signIn.missing}
        </p>
      )}
    </form>
  );
}
