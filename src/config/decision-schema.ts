import type convict from 'convict';
import type { Settings } from './settings.ts';

/** The part of the schema that says how a call is decided and priced. */
export const DECISION_SCHEMA: convict.Schema<
  Pick<Settings, 'admission' | 'customers' | 'rating' | 'accounts'>
> = {
  admission: {
    unfunded: {
      doc: 'An outbound call in whose chain nobody pays.',
      format: ['refuse', 'allow'],
      default: 'refuse',
      env: 'TOLLGATE_ADMISSION_UNFUNDED',
    },
    emergencyNumbers: {
      doc: 'Numbers, as dialled, that are always let through and never charged.',
      format: 'dialled-numbers',
      default: ['112', '911'],
      env: 'TOLLGATE_ADMISSION_EMERGENCY_NUMBERS',
    },
  },
  customers: {
    currency: {
      doc: 'What the money of customers is in that only channel variables name (`tollgate_customer`).',
      format: 'currency',
      default: 'EUR',
      env: 'TOLLGATE_CUSTOMERS_CURRENCY',
    },
  },
  rating: {
    unrated: {
      doc: 'An outbound call for whose number the tariff has no rate.',
      format: ['refuse', 'allow'],
      default: 'refuse',
      env: 'TOLLGATE_RATING_UNRATED',
    },
    unratedInbound: {
      doc: 'An inbound call for whose number the tariff has no rate.',
      format: ['refuse', 'allow'],
      default: 'allow',
      env: 'TOLLGATE_RATING_UNRATED_INBOUND',
    },
    seconds: {
      doc: 'How talk is rounded to the whole seconds that are billed.',
      format: ['up', 'down', 'nearest'],
      default: 'up',
      env: 'TOLLGATE_RATING_SECONDS',
    },
    periods: {
      doc: 'Which rate a call has that goes on into another time of day: the one of its start, or split, each in its time.',
      format: ['start', 'split'],
      default: 'start',
      env: 'TOLLGATE_RATING_PERIODS',
    },
  },
  accounts: {
    defaults: {
      doc: 'Operator limits of every account that neither sets them nor has them from the defaults of its root.',
      format: 'document',
      default: {},
      env: 'TOLLGATE_ACCOUNTS_DEFAULTS',
    },
  },
};
