import { useEffect, useReducer } from 'preact/hooks';
import type { Frames } from '../state/frames.ts';

/** Draws the component again at the frame after each change. */
export function useFrames(frames: Frames): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    redraw(undefined); // what changed before it listened
    return frames.listen(() => redraw(undefined));
  }, [frames]);
}

/** Draws the component again every second, and gives the time in milliseconds. */
export function useSeconds(): number {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const timer = setInterval(() => redraw(undefined), 1000);
    return () => clearInterval(timer);
  }, []);
  return Date.now();
}
