import { CarillonClient } from './carillon.js';
import { browserEnvironment } from './environment.js';
import type { CarillonOptions } from './types.js';

export type * from './events.js';
export type * from './types.js';

export class Carillon extends CarillonClient {
  constructor(options: CarillonOptions) {
    super(options, browserEnvironment);
  }
}
