import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { App } from './app.tsx';
import { keptToken, takeTokenFromFragment } from './token.ts';

// First of all: what the address bar shows is what somebody behind one's back can read, and history keeps.
const given = takeTokenFromFragment();
if (given) keptToken.set(given);

render(<App />, document.getElementById('app')!);
