import { matches, storedPattern, type NumberPattern } from './patterns.ts';

/**
 * What a classification means besides its name (DESIGN 4): a call to an emergency number is always let through, and
 * neither it nor one to a toll-free number is paid for.
 */
export type Treatment = 'emergency' | 'toll_free';

/** A name for the numbers that match: what an allotment or a discount is for. */
export type Classifier = {
  readonly name: string;
  readonly pattern: NumberPattern;
  readonly treatment?: Treatment | undefined;
};

/** A number in both its forms. */
export type ClassifiedNumber = {
  readonly dialled: string;
  /** Digits without a plus; undefined for what is no number at all. */
  readonly e164: string | undefined;
};

/** What a number is that no classifier knows. */
export const UNKNOWN_CLASSIFICATION = 'unknown';
/** What an emergency number is that no classifier names. Numbers of this name are emergencies always. */
export const EMERGENCY_CLASSIFICATION = 'emergency';
/** Whose numbers the default classifiers are for. */
const NORTH_AMERICA = '1';

/** North America's numbers, those of its islands told apart. The order counts: +1 800 is also a number of the country. */
export const DEFAULT_CLASSIFIERS: readonly Classifier[] = [
  classifier('tollfree_us', String.raw`^\+1(?:800|822|833|844|855|866|877|888)\d{7}$`, 'toll_free'),
  classifier('toll_us', String.raw`^\+1900\d{7}$`),
  classifier(EMERGENCY_CLASSIFICATION, '^(?:911|922|933|833|811|711|999)$', 'emergency'),
  classifier(
    'caribbean',
    String.raw`^\+1(?:684|264|268|242|246|441|284|345|767|809|829|849|473|671|876|664|670|787|939|869|758|784|721|868|649|340)\d{7}$`,
  ),
  classifier('did_us', String.raw`^\+1[2-9]\d{2}[2-9]\d{6}$`),
  classifier('international', String.raw`^\+[2-9]\d*$`),
  classifier(UNKNOWN_CLASSIFICATION, '.*'),
];

/** The same names for numbers that are dialled elsewhere: from there nobody calls +1 800 for nothing, or 999 for help. */
const FOREIGN_CLASSIFIERS = DEFAULT_CLASSIFIERS.map(({ name, pattern }): Classifier => ({ name, pattern }));

/** What holds in a tree that has no classifiers of its own. `country`: of its numbering, if it has one. */
export function defaultClassifiers(country: string | undefined): readonly Classifier[] {
  return country === NORTH_AMERICA ? DEFAULT_CLASSIFIERS : FOREIGN_CLASSIFIERS;
}

/**
 * The first classifier that matches: emergencies by the dialled form and before all others, for 911 must not become
 * a number in a country (ruling 17); the rest by `+` and E.164.
 */
export function findClassifier(
  classifiers: readonly Classifier[],
  number: ClassifiedNumber,
): Classifier | undefined {
  const written = number.e164 === undefined ? number.dialled : `+${number.e164}`;
  const isEmergency = ({ treatment }: Classifier) => treatment === 'emergency';
  return (
    classifiers.find((each) => isEmergency(each) && matches(each.pattern, number.dialled)) ??
    classifiers.find((each) => !isEmergency(each) && matches(each.pattern, written))
  );
}

export function classify(classifiers: readonly Classifier[], number: ClassifiedNumber): string {
  return findClassifier(classifiers, number)?.name ?? UNKNOWN_CLASSIFICATION;
}

function classifier(name: string, pattern: string, treatment?: Treatment): Classifier {
  return { name, pattern: storedPattern(pattern), treatment };
}
