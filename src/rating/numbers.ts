/** How a root's users dial. An empty `trunkPrefix` means that national numbers are dialled as they are. */
export type NumberingPlan = {
  readonly country: string;
  readonly internationalPrefix: string;
  readonly trunkPrefix: string;
};

/** E.164 has 15 digits; routing prefixes and long service numbers are longer, nothing dialled is longer than this. */
const DIALLED_DIGITS_MAX = 32;
const DIALLED = /^\+?\d+$/;

/**
 * The E.164 digits, without a plus, of a number as it was dialled; undefined for what is no number at all.
 * Without numbering the digits stand as they are. With numbering a number that carries no prefix is national,
 * unless there is a trunk prefix to mark national numbers and it starts with the country's own code: so
 * carriers write the numbers they hand in.
 */
export function toE164(dialled: string, numbering: NumberingPlan | undefined): string | undefined {
  if (!DIALLED.test(dialled)) return undefined;
  const digits = internationalDigits(dialled, numbering);
  return digits.length > 0 && digits.length <= DIALLED_DIGITS_MAX ? digits : undefined;
}

function internationalDigits(dialled: string, numbering: NumberingPlan | undefined): string {
  if (dialled.startsWith('+')) return dialled.slice(1);
  if (numbering === undefined) return dialled;
  const { country, internationalPrefix, trunkPrefix } = numbering;
  // The international prefix first: where the trunk prefix is 0 it is usually 00.
  if (internationalPrefix !== '' && dialled.startsWith(internationalPrefix)) {
    return dialled.slice(internationalPrefix.length);
  }
  if (trunkPrefix === '') return country + dialled;
  if (dialled.startsWith(trunkPrefix)) return nationalDigits(dialled.slice(trunkPrefix.length), country);
  return dialled.startsWith(country) ? dialled : country + dialled;
}

/** A trunk prefix with nothing behind it is no number; the country code alone would look like one. */
function nationalDigits(national: string, country: string): string {
  return national === '' ? '' : country + national;
}

/** Tested on the form that was dialled, before any numbering: 112 must not become a number in a country. */
export function isEmergency(dialled: string, emergencyNumbers: readonly string[]): boolean {
  return emergencyNumbers.includes(dialled);
}
