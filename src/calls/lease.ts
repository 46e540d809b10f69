/** Who alone may do a thing for a while: take a node's events, drain the streams. Redis keeps it. */
export type Leases = {
  /** Takes or renews the lease for the configured time. False: somebody else has it. Rejects when the store is down. */
  hold(name: string): Promise<boolean>;
  /** Gives it up if it is ours, so that another need not wait for its end. */
  giveUp(name: string): Promise<void>;
};
