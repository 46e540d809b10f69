import { matches, storedPattern, type NumberPattern } from './patterns.ts';

/** A name for the numbers that match: what an allotment or a discount is for. */
export type Classifier = { readonly name: string; readonly pattern: NumberPattern };

/** A number in both its forms. */
export type ClassifiedNumber = {
  readonly dialled: string;
  /** Digits without a plus; undefined for what is no number at all. */
  readonly e164: string | undefined;
};

/** What a number is that no classifier knows. */
export const UNKNOWN_CLASSIFICATION = 'unknown';
/** The one classification of numbers as they are dialled: 911 must not become a number in a country (ruling 17). */
export const EMERGENCY_CLASSIFICATION = 'emergency';

/** North America's numbers, those of its islands told apart. The order counts: +1 800 is also a number of the country. */
export const DEFAULT_CLASSIFIERS: readonly Classifier[] = [
  classifier('tollfree_us', String.raw`^\+1(?:800|822|833|844|855|866|877|888)\d{7}$`),
  classifier('toll_us', String.raw`^\+1900\d{7}$`),
  classifier(EMERGENCY_CLASSIFICATION, '^(?:911|922|933|833|811|711|999)$'),
  classifier(
    'caribbean',
    String.raw`^\+1(?:684|264|268|242|246|441|284|345|767|809|829|849|473|671|876|664|670|787|939|869|758|784|721|868|649|340)\d{7}$`,
  ),
  classifier('did_us', String.raw`^\+1[2-9]\d{2}[2-9]\d{6}$`),
  classifier('international', String.raw`^\+[2-9]\d*$`),
  classifier(UNKNOWN_CLASSIFICATION, '.*'),
];

/** The first classifier that matches: emergency by the dialled form and before all others, the rest by `+` and E.164. */
export function classify(classifiers: readonly Classifier[], number: ClassifiedNumber): string {
  const written = number.e164 === undefined ? number.dialled : `+${number.e164}`;
  const isEmergency = ({ name }: Classifier) => name === EMERGENCY_CLASSIFICATION;
  if (classifiers.some((each) => isEmergency(each) && matches(each.pattern, number.dialled))) {
    return EMERGENCY_CLASSIFICATION;
  }
  const first = classifiers.find((each) => !isEmergency(each) && matches(each.pattern, written));
  return first?.name ?? UNKNOWN_CLASSIFICATION;
}

function classifier(name: string, pattern: string): Classifier {
  return { name, pattern: storedPattern(pattern) };
}
