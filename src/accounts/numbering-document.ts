import { EMERGENCY_CLASSIFICATION, UNKNOWN_CLASSIFICATION } from '../rating/classify.ts';
import type { ClassifierText, Numbering } from './account.ts';
import type { DocumentReader } from './document-reader.ts';
import { complainOfLongMatching, readPattern } from './limit-readers.ts';

const CLASSIFICATION = /^[a-z][a-z0-9_]{0,63}$/;

/** How the numbers of a tree are dialled and what they are called (ruling 17). */
export function readNumbering(reader: DocumentReader): Numbering | undefined {
  const country = readDigits(reader, 'country', digits(1, 3), 'a country code of 1 to 3 digits such as "49"');
  const internationalPrefix = readDigits(
    reader,
    'internationalPrefix',
    digits(0, 5),
    'digits such as "00", or "" for none',
  );
  const trunkPrefix = readDigits(reader, 'trunkPrefix', digits(0, 3), 'digits such as "0", or "" for none');
  const classifiers = readClassifiers(reader);
  reader.finish();
  if (country === undefined || internationalPrefix === undefined || trunkPrefix === undefined)
    return undefined;
  const plan = { country, internationalPrefix, trunkPrefix };
  return classifiers === undefined ? plan : { ...plan, classifiers };
}

function readClassifiers(reader: DocumentReader): readonly ClassifierText[] | undefined {
  const classifiers = reader.sections('classifiers')?.flatMap((section): readonly ClassifierText[] => {
    const name = section.text('name', parseClassification, 'a name of a-z 0-9 _ such as "mobile"');
    section.require('name', 'what the numbers are called');
    const pattern = section.value('pattern', readPattern);
    section.require('pattern', 'the numbers, as a regular expression');
    const treatment = readTreatment(section, name);
    section.finish();
    return name === undefined || pattern === undefined ? [] : [{ name, pattern, ...treatment }];
  });
  if (classifiers === undefined) return undefined;
  complainOfLongMatching(reader, 'classifiers', classifiers);
  const names = classifiers.map(({ name }) => name);
  if (names.includes(UNKNOWN_CLASSIFICATION) && names.at(-1) !== UNKNOWN_CLASSIFICATION) {
    reader.complain('classifiers', `"${UNKNOWN_CLASSIFICATION}" as the last of them, if at all`);
  }
  return classifiers;
}

function readTreatment(
  section: DocumentReader,
  name: string | undefined,
): Pick<ClassifierText, 'emergency' | 'tollFree'> {
  const emergency = section.flag('emergency');
  const tollFree = section.flag('tollFree');
  if (name === EMERGENCY_CLASSIFICATION && emergency === false) {
    section.complain('emergency', `true or nothing: what is called "${name}" is one`);
  }
  if (tollFree === true && (emergency === true || name === EMERGENCY_CLASSIFICATION)) {
    section.complain('tollFree', 'nothing beside emergency: such calls are free already');
  }
  return {
    ...(emergency === undefined ? {} : { emergency }),
    ...(tollFree === undefined ? {} : { tollFree }),
  };
}

function parseClassification(text: string): string | undefined {
  return CLASSIFICATION.test(text) ? text : undefined;
}

function readDigits(
  reader: DocumentReader,
  name: string,
  parse: (text: string) => string | undefined,
  expected: string,
): string | undefined {
  reader.require(name, expected);
  return reader.text(name, parse, expected);
}

function digits(min: number, max: number): (text: string) => string | undefined {
  const pattern = new RegExp(`^\\d{${min},${max}}$`);
  return (text) => (pattern.test(text) ? text : undefined);
}
