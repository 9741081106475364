import { CarillonClient } from './carillon.js';
import { after, type Environment } from './environment.js';
import type { CarillonOptions } from './types.js';
import { NodeWebSocket } from './websocket.js';

export type * from './events.js';
export type * from './types.js';

const nodeEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  after,
  socket: (url, protocols, { ca }) => new NodeWebSocket(url, protocols, { ca }),
  channel: (name) => new BroadcastChannel(name),
  onWake: () => () => {},
  report: (error) => console.error(error),
};

export class Carillon extends CarillonClient {
  constructor(options: CarillonOptions) {
    super(options, nodeEnvironment);
  }
}
