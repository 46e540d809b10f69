/** Why a connection ended. It ends once, for the first of these that happens. */
export type CloseReason =
  | 'refused'
  | 'acl'
  | 'auth'
  | 'timeout'
  | 'peer-end'
  | 'reset'
  | 'framing'
  | 'limit'
  | 'shutdown-notice'
  | 'lost-events-notice'
  | 'local';

/** The connection is gone or was never there. Whether a command in flight was carried out is not known. */
export class EslClosedError extends Error {
  override readonly name = 'EslClosedError';
  readonly reason: CloseReason;

  constructor(reason: CloseReason) {
    super(`the event socket is closed: ${reason}`);
    this.reason = reason;
  }
}

/** Too many replies are owed already: FreeSWITCH is not keeping up. Nothing was sent. */
export class EslBusyError extends Error {
  override readonly name = 'EslBusyError';
}
