type CauseFacts = { readonly q850: number; readonly sipStatus: number; readonly sipPhrase: string };

/** The hang-up causes a billing controller meets, with the SIP answer that leads to each or comes of it. */
const CAUSES: Readonly<Record<string, CauseFacts>> = {
  NONE: { q850: 0, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  UNALLOCATED_NUMBER: { q850: 1, sipStatus: 404, sipPhrase: 'Not Found' },
  NO_ROUTE_DESTINATION: { q850: 3, sipStatus: 404, sipPhrase: 'Not Found' },
  NORMAL_CLEARING: { q850: 16, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  USER_BUSY: { q850: 17, sipStatus: 486, sipPhrase: 'Busy Here' },
  NO_USER_RESPONSE: { q850: 18, sipStatus: 408, sipPhrase: 'Request Timeout' },
  NO_ANSWER: { q850: 19, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  SUBSCRIBER_ABSENT: { q850: 20, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  CALL_REJECTED: { q850: 21, sipStatus: 603, sipPhrase: 'Decline' },
  DESTINATION_OUT_OF_ORDER: { q850: 27, sipStatus: 502, sipPhrase: 'Bad Gateway' },
  INVALID_NUMBER_FORMAT: { q850: 28, sipStatus: 484, sipPhrase: 'Address Incomplete' },
  NORMAL_UNSPECIFIED: { q850: 31, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  NORMAL_CIRCUIT_CONGESTION: { q850: 34, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  NORMAL_TEMPORARY_FAILURE: { q850: 41, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  SWITCH_CONGESTION: { q850: 42, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  OUTGOING_CALL_BARRED: { q850: 52, sipStatus: 403, sipPhrase: 'Forbidden' },
  INCOMING_CALL_BARRED: { q850: 54, sipStatus: 403, sipPhrase: 'Forbidden' },
  BEARERCAPABILITY_NOTAVAIL: { q850: 58, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  CHAN_NOT_IMPLEMENTED: { q850: 66, sipStatus: 501, sipPhrase: 'Not Implemented' },
  INCOMPATIBLE_DESTINATION: { q850: 88, sipStatus: 488, sipPhrase: 'Not Acceptable Here' },
  RECOVERY_ON_TIMER_EXPIRE: { q850: 102, sipStatus: 504, sipPhrase: 'Gateway Time-out' },
  WRONG_CALL_STATE: { q850: 101, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  INTERWORKING: { q850: 127, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  ORIGINATOR_CANCEL: { q850: 487, sipStatus: 487, sipPhrase: 'CANCEL' },
  SYSTEM_SHUTDOWN: { q850: 501, sipStatus: 503, sipPhrase: 'Service Unavailable' },
  LOSE_RACE: { q850: 502, sipStatus: 487, sipPhrase: 'CANCEL' },
  MANAGER_REQUEST: { q850: 503, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  BLIND_TRANSFER: { q850: 600, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  ATTENDED_TRANSFER: { q850: 601, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  ALLOTTED_TIMEOUT: { q850: 602, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  USER_NOT_REGISTERED: { q850: 606, sipStatus: 480, sipPhrase: 'Temporarily Unavailable' },
  PROGRESS_TIMEOUT: { q850: 607, sipStatus: 408, sipPhrase: 'Request Timeout' },
};

const BY_NUMBER = new Map(Object.entries(CAUSES).map(([name, facts]) => [facts.q850, name]));
const BY_SIP_STATUS: Readonly<Record<number, string>> = {
  400: 'NORMAL_TEMPORARY_FAILURE',
  401: 'CALL_REJECTED',
  402: 'CALL_REJECTED',
  403: 'CALL_REJECTED',
  404: 'UNALLOCATED_NUMBER',
  407: 'CALL_REJECTED',
  408: 'RECOVERY_ON_TIMER_EXPIRE',
  480: 'NO_USER_RESPONSE',
  481: 'NORMAL_TEMPORARY_FAILURE',
  484: 'INVALID_NUMBER_FORMAT',
  485: 'NO_ROUTE_DESTINATION',
  486: 'USER_BUSY',
  487: 'ORIGINATOR_CANCEL',
  488: 'INCOMPATIBLE_DESTINATION',
  500: 'NORMAL_TEMPORARY_FAILURE',
  503: 'NORMAL_TEMPORARY_FAILURE',
  504: 'RECOVERY_ON_TIMER_EXPIRE',
  600: 'USER_BUSY',
  603: 'CALL_REJECTED',
  604: 'NO_ROUTE_DESTINATION',
};

/** Case does not matter, digits are Q.850, and what FreeSWITCH does not know it takes for a normal end. */
export function parseCause(text: string): string {
  if (/^\d+$/.test(text)) return BY_NUMBER.get(Number(text)) ?? 'NORMAL_CLEARING';
  const name = text.toUpperCase();
  return name in CAUSES ? name : 'NORMAL_CLEARING';
}

export function causeOfSipStatus(status: number): string {
  return BY_SIP_STATUS[status] ?? 'NORMAL_UNSPECIFIED';
}

export function sipAnswerOf(cause: string): { readonly status: number; readonly phrase: string } {
  const facts = CAUSES[cause];
  return { status: facts?.sipStatus ?? 480, phrase: facts?.sipPhrase ?? 'Temporarily Unavailable' };
}

/** FreeSWITCH's own causes have numbers past Q.850's range and are reported as 16 (09, 06, 17 of the recordings). */
export function q850Of(cause: string): number {
  const number = CAUSES[cause]?.q850 ?? 16;
  return number < 128 ? number : 16;
}

/** The DIALSTATUS variable, an Asterisk habit kept by the bridge application. */
export function dialStatusOf(cause: string): string {
  switch (cause) {
    case 'USER_BUSY':
      return 'BUSY';
    case 'CALL_REJECTED':
      return 'DONTCALL';
    case 'NO_ANSWER':
      return 'NOANSWER';
    case 'ORIGINATOR_CANCEL':
      return 'CANCEL';
    default:
      return cause;
  }
}
