import { columns } from '../command-line/help.ts';
import type { Admitted } from '../gate/admit-leg.ts';
import type { AccountPath } from '../units/ids.ts';
import { fundingInWords } from './check-view.ts';

/** What limits would have said that refuse nobody. */
export type WhatIfVerdict = {
  readonly kind: 'shadow' | 'dry_run';
  readonly path: AccountPath;
  readonly answer: Admitted;
};

const NAMES: Readonly<Record<WhatIfVerdict['kind'], string>> = {
  shadow: 'shadow limits of',
  dry_run: 'dry run of',
};

export function whatIfLines(verdicts: readonly WhatIfVerdict[]): readonly string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(({ kind, path, answer }) => {
    const said =
      answer.kind === 'refused' ? `would refuse it: ${answer.refusal.words}` : admittedWords(answer);
    return [`${NAMES[kind]} ${path}`, said];
  });
  return ['limits that refuse nobody', ...columns(rows)];
}

function admittedWords(answer: Extract<Admitted, { readonly kind: 'admitted' }>): string {
  return `would let it through: ${fundingInWords(answer)}`;
}

export function whatIfJson({ kind, path, answer }: WhatIfVerdict): Readonly<Record<string, unknown>> {
  const base = { kind, account: path };
  if (answer.kind === 'refused') return { ...base, verdict: 'refused', refusal: answer.refusal };
  const { funding } = answer.record;
  return { ...base, verdict: 'admitted', funding, fundedSeconds: answer.time.funded };
}
