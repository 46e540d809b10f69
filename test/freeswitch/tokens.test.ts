import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenError, toToken, toVariableList, type TokenKind } from '../../src/freeswitch/tokens.ts';

const KINDS: readonly TokenKind[] = [
  'uuid',
  'number',
  'cause',
  'extension',
  'context',
  'variable name',
  'variable value',
  'application',
  'sip code',
  'sip reason',
  'dial string',
  'sound',
  'seconds',
  'dead-man group',
  'event name',
  'password',
];

describe('toToken', () => {
  it.each<readonly [TokenKind, string]>([
    ['uuid', '14ba6049-38c2-4720-bddf-60ca5435ce1e'],
    ['number', '+4930123456'],
    ['number', '*98#'],
    ['cause', 'ALLOTTED_TIMEOUT'],
    ['extension', 'tollgate.go'],
    ['extension', 'alice@example.com'],
    ['context', 'example.com:5060'],
    ['variable name', 'nolocal:execute_on_answer'],
    ['variable value', ''],
    ['variable value', 'sched_hangup +32 ALLOTTED_TIMEOUT'],
    ['variable value', 'tollgate_admission,tollgate_branch,nolocal:execute_on_answer'],
    ['sip reason', 'Payment Required'],
    [
      'dial string',
      '[tollgate_branch=1]sofia/gateway/x/+4930,[tollgate_branch=2]user/1001@example.com|error/busy',
    ],
    ['sound', 'tone_stream://%(200,0,800);loops=2'],
    ['seconds', '62'],
  ])('lets a good %s through: %s', (kind, text) => {
    expect(toToken(kind, text)).toBe(text);
  });

  it.each<readonly [TokenKind, string]>([
    ['uuid', 'a b'],
    ['uuid', '-bleg'],
    ['uuid', ''],
    ['number', '1,loopback/2'],
    ['cause', 'normal clearing'],
    ['extension', '-both'],
    ['extension', '1 XML default'],
    ['variable name', 'a=b'],
    ['variable value', ' a'],
    ['variable value', 'a '],
    ['variable value', 'a;b=c'],
    ['variable value', 'a|b'],
    ['variable value', '^^:a'],
    ['variable value', '{x=y}'],
    ['application', 'system'],
    ['sip code', '200'],
    ['dial string', 'sofia/x/${caller_id_name}'],
    ['dial string', "{a='b'}user/1"],
    ['sound', '/a b'],
    ['seconds', '0'],
    ['seconds', '+5'],
    ['seconds', '1.5'],
    ['dead-man group', 'none'],
  ])('refuses a %s that could mean more: %s', (kind, text) => {
    expect(() => toToken(kind, text)).toThrow(TokenError);
  });

  it('refuses what could end a line or start an expansion, whatever the kind and wherever it stands', () => {
    const poison = fc.constantFrom('\r', '\n', '\0', '"', "'", '`', '\\', '$', '\u2028', 'é');
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), fc.string(), poison, fc.string(), (kind, before, bad, after) => {
        // A password stands alone on its line, so quotes and `$` mean nothing there.
        fc.pre(kind !== 'password' || !/["'`\\$]/.test(bad));
        expect(() => toToken(kind, before + bad + after)).toThrow(TokenError);
      }),
      { numRuns: 2_000 },
    );
  });

  it('names the kind and a clean, short sample, and never a password', () => {
    const error = errorOf('number', `\u001b[31m\r\n${'9'.repeat(500)}`);
    expect(error.message).toMatch(/^not a valid number: "\?\[31m\?\?9+…"$/);
    expect(error.message.length).toBeLessThan(80);
    expect(errorOf('password', 'sec ret').message).not.toContain('sec');
  });
});

describe('toVariableList', () => {
  it('joins what it has checked, so that as many pairs come out as went in', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
    const value = fc.stringMatching(/^[\w.:@+\-/,=*#]{0,40}$/);
    fc.assert(
      fc.property(fc.dictionary(name, value), (variables) => {
        const entries = Object.entries(variables);
        fc.pre(entries.length > 0);
        const pairs = toVariableList(new Map(entries)).split(';');
        expect(
          pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
        ).toEqual(entries);
      }),
    );
  });

  it('refuses more pairs than FreeSWITCH reads', () => {
    const many = new Map(Array.from({ length: 257 }, (_, index) => [`v${index}`, '1'] as const));
    expect(() => toVariableList(many)).toThrow(TokenError);
  });
});

function errorOf(kind: TokenKind, text: string): Error {
  try {
    toToken(kind, text);
  } catch (error) {
    if (error instanceof TokenError) return error;
  }
  throw new Error('not refused');
}
