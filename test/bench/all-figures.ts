import type { Figure } from './figure.ts';
import { admission } from './figures/admission.ts';
import { betweenEvents } from './figures/between-events.ts';
import { cutError } from './figures/cut-error.ts';
import { eventParse } from './figures/event-parse.ts';
import { fullCalls } from './figures/full-calls.ts';
import { liveLegs } from './figures/live-legs.ts';
import { rating } from './figures/rating.ts';
import { recordPages } from './figures/record-pages.ts';
import { rerate } from './figures/rerate.ts';
import { scheduling } from './figures/scheduling.ts';

/** Everything that `npm run bench` can measure, in its order. */
export const FIGURES: readonly Figure[] = [
  admission,
  fullCalls,
  eventParse,
  liveLegs,
  betweenEvents,
  scheduling,
  cutError,
  rating,
  recordPages,
  rerate,
];
