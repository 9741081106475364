import { useEffect, useState } from 'preact/hooks';
import type { Board } from '../state/board.ts';
import { useWords, wordFor } from './words.ts';

/** Reads alerts out to assistive technology, politely, and the latest one only, no oftener than every two seconds. */
export function Announcer({ board }: { board: Board }) {
  const words = useWords();
  const [said, setSaid] = useState('');
  useEffect(() => {
    let spoken = board.alerts.added;
    const timer = setInterval(() => {
      if (board.alerts.added === spoken) return;
      spoken = board.alerts.added;
      const { level, message } = board.alerts.at(0)!.payload;
      setSaid(`${wordFor(words.levels, level)}: ${message}`);
    }, 2000);
    return () => clearInterval(timer);
  }, [board, words]);
  return (
    <p class="unseen" aria-live="polite" data-testid="announcer">
      {said}
    </p>
  );
}
