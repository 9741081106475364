import type { Stats } from './stats.ts';

export interface DeadLetter {
  readonly position: string;
  /** When it was found. */
  readonly at: string;
  readonly reason: string;
  readonly detail: string;
  /** The record's text. */
  readonly record: string;
}

export interface ReplayOutcome {
  readonly replayed: number;
  readonly refused: readonly { readonly position: string; readonly reason: string }[];
}

const TIMEOUT = 10_000;
const LETTERS_MAX = 100;

/** The calls of an operator, with a token that has the grant `admin`. Each rejects with an Error that says why. */
export class Rest {
  constructor(private readonly token: () => string) {}

  stats(): Promise<Stats> {
    return this.#call('/v1/stats');
  }

  /** The latest hundred, newest first. */
  async deadLetters(): Promise<readonly DeadLetter[]> {
    const answer = await this.#call<{ dead_letters: DeadLetter[] }>(`/v1/dead-letters?limit=${LETTERS_MAX}`);
    return answer.dead_letters;
  }

  replay(positions: readonly string[]): Promise<ReplayOutcome> {
    return this.#call('/v1/dead-letters/replay', { method: 'POST', body: JSON.stringify({ positions }) });
  }

  async #call<Answer>(path: string, request: RequestInit = {}): Promise<Answer> {
    const response = await fetch(path, {
      ...request,
      headers: { Authorization: `Bearer ${this.token()}`, 'Content-Type': 'application/json' },
      cache: 'no-store',
      credentials: 'omit',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (!response.ok) throw new Error(await problemOf(response));
    return (await response.json()) as Answer;
  }
}

// An answer of RFC 9457, or of whatever stands in front of the server.
async function problemOf(response: Response): Promise<string> {
  try {
    const { detail } = (await response.json()) as { detail?: string };
    if (detail) return `${response.status}: ${detail}`;
  } catch {
    // not JSON: the status says it
  }
  return `HTTP ${response.status}`;
}
