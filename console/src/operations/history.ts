import { EVENT_NAMES, stageBetween, type EventName, type Stage, type StageName, type Stats } from './stats.ts';

/** Five minutes at a look every two seconds. */
const LOOKS_MAX = 150;
const MINUTE = 60_000;
/** Two looks at one node agree on when it started; its uptime is in whole seconds. */
const START_TOLERANCE = 2500;

export interface Rates {
  /** In milliseconds. */
  readonly at: number;
  /** Per second. */
  readonly events: Readonly<Record<EventName, number>>;
  readonly sent: number;
}

/**
 * The looks at one node, and what they say about the time between them. A node that was started anew, or another one behind
 * the same address, counts from zero: then what was known is forgotten.
 */
export class StatsHistory {
  #looks: Stats[] = [];
  #rates: Rates[] = [];

  add(look: Stats): void {
    const before = this.latest;
    if (before && Math.abs(startOf(look) - startOf(before)) > START_TOLERANCE) {
      this.#looks = [];
      this.#rates = [];
    } else if (before && timeOf(look) > timeOf(before)) this.#rates.push(ratesBetween(before, look));
    this.#looks.push(look);
    if (this.#looks.length > LOOKS_MAX) this.#looks.shift();
    if (this.#rates.length > LOOKS_MAX) this.#rates.shift();
  }

  get latest(): Stats | undefined {
    return this.#looks.at(-1);
  }

  /** Oldest first, one for each time between two looks. */
  get rates(): readonly Rates[] {
    return this.#rates;
  }

  sinceStart(event: EventName, stage: StageName): Stage | undefined {
    return this.latest?.events[event][stage];
  }

  /** Over the last minute, or since the first look. */
  lastMinute(event: EventName, stage: StageName): Stage | undefined {
    const { latest } = this;
    if (!latest) return undefined;
    const first = this.#looks.find((look) => timeOf(look) >= timeOf(latest) - MINUTE)!;
    return stageBetween(first.events[event][stage], latest.events[event][stage]);
  }
}

const timeOf = (look: Stats): number => new Date(look.at).getTime();
const startOf = (look: Stats): number => timeOf(look) - look.uptime_seconds * 1000;

function ratesBetween(earlier: Stats, later: Stats): Rates {
  const seconds = (timeOf(later) - timeOf(earlier)) / 1000;
  const events = {} as Record<EventName, number>;
  for (const name of EVENT_NAMES)
    events[name] = (later.events[name].published - earlier.events[name].published) / seconds;
  return { at: timeOf(later), events, sent: (later.notifications_sent - earlier.notifications_sent) / seconds };
}
