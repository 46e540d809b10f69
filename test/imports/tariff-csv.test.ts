import { createReadStream } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ImportError } from '../../src/imports/import-error.ts';
import { readTariffCsv, type TariffReading } from '../../src/imports/tariff-csv.ts';
import { money, rateOf } from '../rating/samples.ts';

/** As the command line says it. */
function asLine({ file, line, field, value, expected }: ImportError): string {
  return `${file}:${line}: ${field} ${JSON.stringify(value)}: expected ${expected}`;
}

const HEADER =
  'prefix,description,rate,surcharge,minimum,increment,grace,direction,routes,options,weight,days,from,until';

function read(content: string | Uint8Array): Promise<TariffReading> {
  return readTariffCsv({ file: 'rates.csv', bytes: [Buffer.from(content)] });
}

function readLines(...lines: readonly string[]): Promise<TariffReading> {
  return read(lines.join('\n'));
}

/** The faults as they are told, or what was read where there are none. */
async function faultsOf(content: string | Uint8Array): Promise<readonly string[]> {
  const reading = await read(content);
  return reading.kind === 'errors' ? reading.errors.map(asLine) : ['no fault'];
}

describe('a good file', () => {
  test('gives the rates in the order of its lines, absent fields staying absent', async () => {
    const reading = await readLines(
      HEADER,
      '+49,"Germany, ""all""",0.015,0.05,30,6,2,both,gold|silver,fax;CLIP,10,fri-mon,18:00,00:00',
      '44,,1,,0,0,,,,,,,,',
    );
    expect(reading).toEqual({
      kind: 'rates',
      rates: [
        {
          id: 1,
          prefix: '49',
          description: 'Germany, "all"',
          perMinute: money('0.015'),
          surcharge: money('0.05'),
          minimumSeconds: 30,
          incrementSeconds: 6,
          graceSeconds: 2,
          direction: 'both',
          routes: ['gold', 'silver'],
          options: ['fax', 'clip'],
          weight: 10,
          period: { days: 113, fromMinute: 1080, untilMinute: 1440 },
        },
        rateOf({ id: 2, prefix: '44', perMinute: money('1'), minimumSeconds: 0, incrementSeconds: 0 }),
      ],
    });
  });

  test.each([
    ['other names for the columns', 'Code,Name,Per-Minute,Connect Fee,Route\n49,DE,0.01,0.05,gold'],
    ['another order', 'rate,surcharge,routes,prefix,description\n0.01,0.05,gold,49,DE'],
    [
      'blanks around the fields',
      ' prefix , name , price , surcharge , route \n 49 , DE ,\t0.01 , 0.05 , gold ',
    ],
    [
      'quotes around everything',
      '"prefix","name","price","surcharge","route"\n"49","DE","0.01","0.05","gold"',
    ],
    ['a byte order mark', '\u{FEFF}prefix,name,price,surcharge,route\n49,DE,0.01,0.05,gold\n'],
    ['line ends of Windows', 'prefix,name,price,surcharge,route\r\n49,DE,0.01,0.05,gold\r\n'],
    ['line ends of old Macs', 'prefix,name,price,surcharge,route\r49,DE,0.01,0.05,gold\r'],
    ['empty lines', '\n\nprefix,name,price,surcharge,route\n\n  \n49,DE,0.01,0.05,gold\n\n'],
    ['capitals', 'PREFIX,NAME,RATE,SURCHARGE,ROUTES\n49,DE,0.01,0.05,GOLD'],
  ])('may have %s', async (_, content) => {
    const fields = {
      perMinute: money('0.01'),
      surcharge: money('0.05'),
      description: 'DE',
      routes: ['gold'],
    };
    expect(await read(content)).toEqual({
      kind: 'rates',
      rates: [rateOf({ id: 1, prefix: '49', ...fields })],
    });
  });

  test('may name a prefix again where the choice of a rate can tell the lines apart', async () => {
    const reading = await readLines(
      'prefix,rate,direction,routes,options,weight,days,from,until',
      '49,0.01,,,,,,,',
      '49,0.01,inbound,,,,,,',
      '49,0.01,,gold,,,,,',
      '49,0.01,,gold;silver,,,,,',
      '49,0.01,,,gold,,,,',
      '49,0.01,,,,99,,,',
      '49,0.01,,,,,mon-fri,,',
      '49,0.01,,,,,,08:00,18:00',
      '49,0.01,,,,,,18:00,08:00',
    );
    expect(reading).toMatchObject({ kind: 'rates', rates: { length: 9 } });
  });

  test('is the same in whatever pieces it arrives', async () => {
    const bytes = Buffer.from(
      '\u{FEFF}prefix,rate,name\r\n49,0.01,"M\u00fcnchen, \u{1F4DE}"\r\n44,0.02,"a ""b"""\r\n',
    );
    const whole = await read(bytes);
    expect(whole).toMatchObject({ kind: 'rates', rates: { length: 2 } });
    for (let size = 1; size < 9; size++) {
      const pieces: Buffer[] = [];
      for (let start = 0; start < bytes.length; start += size)
        pieces.push(bytes.subarray(start, start + size));
      expect(await readTariffCsv({ file: 'rates.csv', bytes: pieces })).toEqual(whole);
    }
  });
});

describe('a bad header', () => {
  test.each([
    ['an empty file', '', ['rates.csv:1: header "": expected a header line and at least one rate']],
    ['no rates', `${HEADER}\n`, ['rates.csv:1: header "": expected a header line and at least one rate']],
    [
      'an unknown column, and no prefix for it',
      'prefx,rate\n49,0.01',
      [
        'rates.csv:1: header "prefx": expected a column of a tariff, perhaps prefix',
        'rates.csv:1: header "prefx,rate": expected a column prefix',
      ],
    ],
    [
      'a column that resembles none',
      'prefix,rate,zzz\n49,0.01,1',
      [
        'rates.csv:1: header "zzz": expected one of prefix, description, rate, surcharge, minimum, increment, grace, direction, routes, options, weight, days, from, until',
      ],
    ],
    [
      'the same column twice by other names',
      'prefix,price,rate\n49,1,1',
      ['rates.csv:1: header "rate": expected rate once, and column "price" gives it already'],
    ],
    [
      'another separator, below an empty line',
      '\nprefix;rate\n49;1',
      [
        'rates.csv:2: header "prefix;rate": expected columns separated by commas',
        'rates.csv:2: header "prefix;rate": expected a column prefix',
        'rates.csv:2: header "prefix;rate": expected a column rate',
      ],
    ],
    [
      'an open quote',
      'prefix,"rate\n49,1',
      [
        'rates.csv:1: line "prefix,\\"rate": expected quotes around whole fields, closed on the same line, and doubled within',
      ],
    ],
  ])('%s', async (_, content, faults) => {
    expect(await faultsOf(content)).toEqual(faults);
  });

  test.each(['\u{FEFF}prefix,rate\n49,1\n', 'prefix,rate\r\n49,1\r\n'])(
    'UTF-16 is not UTF-8: %j',
    async (text) => {
      const little = Buffer.from(text, 'utf16le');
      for (const bytes of [little, Buffer.from(little).swap16()]) {
        const faults = await faultsOf(bytes);
        expect(faults).toHaveLength(1);
        expect(faults[0]).toContain('rates.csv:1: line');
        expect(faults[0]).toContain('expected text in UTF-8; this looks like UTF-16');
      }
    },
  );

  test('a packed file is no text', async () => {
    expect((await faultsOf(gzipSync('prefix,rate\n49,1\n')))[0]).toContain('expected text in UTF-8');
  });
});

const PRICE = 'a decimal number such as 0.015, 0 to 1000000, with at most six decimals';

describe('a bad field', () => {
  test.each([
    ['prefix', '', 'up to 32 digits, a plus before them at most'],
    ['prefix', '49x', 'up to 32 digits, a plus before them at most'],
    ['prefix', '4.47E+11', 'up to 32 digits, a plus before them at most'],
    ['prefix', '++49', 'up to 32 digits, a plus before them at most'],
    ['prefix', '9'.repeat(33), 'up to 32 digits, a plus before them at most'],
    ['rate', '', `money a minute, ${PRICE}`],
    ['rate', '-0.01', `money a minute, ${PRICE}`],
    ['rate', '-0', `money a minute, ${PRICE}`],
    ['rate', '0.0000001', `money a minute, ${PRICE}`],
    ['rate', '1e-3', `money a minute, ${PRICE}`],
    ['rate', '$0.10', `money a minute, ${PRICE}`],
    ['rate', '1000000.01', `money a minute, ${PRICE}`],
    ['rate', '99999999999999999999', `money a minute, ${PRICE}`],
    ['surcharge', '-1', `money a call, ${PRICE}`],
    ['surcharge', 'free', `money a call, ${PRICE}`],
    ['minimum', '1.5', 'whole seconds, 0 to 86400'],
    ['minimum', '-1', 'whole seconds, 0 to 86400'],
    ['increment', '86401', 'whole seconds, 0 to 86400'],
    ['increment', '6s', 'whole seconds, 0 to 86400'],
    ['grace', '99999999999999999999', 'whole seconds, 0 to 86400'],
    ['direction', 'out', 'inbound, outbound, both or nothing'],
    ['routes', 'gold;;silver', 'names of routes separated by ; or |, each once'],
    ['routes', 'gold;GOLD', 'names of routes separated by ; or |, each once'],
    ['routes', 'go ld', 'names of routes separated by ; or |, each once'],
    ['options', 'fax fax', 'names of options separated by ; or |, each once'],
    ['weight', '10001', 'a whole number, 0 to 10000'],
    ['weight', '1.0', 'a whole number, 0 to 10000'],
    ['description', 'x\u0007y', 'one line of at most 200 characters'],
    ['days', 'mon-xyz', 'days such as mon-fri or sat;sun: mon tue wed thu fri sat sun'],
    ['days', '1-5', 'days such as mon-fri or sat;sun: mon tue wed thu fri sat sun'],
  ])('%s %j', async (field, value, expected) => {
    const good: Record<string, string> = { prefix: '49', rate: '0.01', [field]: value };
    const line = HEADER.split(',').map((column) => good[column] ?? '');
    const reading = await readLines(HEADER, '44,,1,,,,,,,,,,,', line.join(','));
    expect(reading).toEqual({
      kind: 'errors',
      errors: [{ file: 'rates.csv', line: 3, field, value, expected }],
      more: 0,
    });
  });

  test.each([
    [',8:00,18:00', [['from', '8:00', 'a time of day, 00:00 to 23:59']]],
    [',24:00,06:00', [['from', '24:00', 'a time of day, 00:00 to 23:59']]],
    [',08:00,24:01', [['until', '24:01', 'a time of day, 00:00 to 24:00']]],
    [',08:00,', [['until', '', 'a time of day, for there is one in column from']]],
    ['mon,,18:00', [['from', '', 'a time of day, for there is one in column until']]],
    [',08:00,08:00', [['until', '08:00', 'another time than from, or neither for the whole day']]],
    [
      ',x,y',
      [
        ['from', 'x', 'a time of day, 00:00 to 23:59'],
        ['until', 'y', 'a time of day, 00:00 to 24:00'],
      ],
    ],
  ])('a period of days, from and until %j', async (written, faults) => {
    const reading = await readLines('prefix,rate,days,from,until', `49,1,${written}`);
    expect(reading).toMatchObject({
      errors: faults.map(([field, value, expected]) => ({ line: 2, field, value, expected })),
      more: 0,
    });
  });

  test('a long value is cut short', async () => {
    const reading = await readLines('prefix,rate,name', `49,1,${'x'.repeat(201)}`);
    expect(reading).toMatchObject({ errors: [{ field: 'description', value: `${'x'.repeat(60)}…` }] });
  });
});

describe('a bad line', () => {
  test('every one is told, and every field of it, and no rate is read', async () => {
    expect(
      await faultsOf('prefix,rate,minimum\n49,x,1.5\n44,1,30\n\n43,1\n42,1,1,1\n41,"1,1\n40,1"2,1\n49,1,-1'),
    ).toEqual([
      `rates.csv:2: rate "x": expected money a minute, ${PRICE}`,
      'rates.csv:2: minimum "1.5": expected whole seconds, 0 to 86400',
      'rates.csv:5: columns "43,1": expected 3 columns as in the header, not 2',
      'rates.csv:6: columns "42,1,1,1": expected 3 columns as in the header, not 4',
      'rates.csv:7: line "41,\\"1,1": expected quotes around whole fields, closed on the same line, and doubled within',
      'rates.csv:8: line "40,1\\"2,1": expected quotes around whole fields, closed on the same line, and doubled within',
      'rates.csv:9: minimum "-1": expected whole seconds, 0 to 86400',
    ]);
  });

  test('a quote that spans two lines spoils these two only', async () => {
    expect(await faultsOf('prefix,rate,name\n49,1,"Ger\nmany"\n44,1,x\n43,1,"y",')).toEqual([
      expect.stringContaining('rates.csv:2: line "49,1,\\"Ger"'),
      expect.stringContaining('rates.csv:3: line "many\\""'),
      expect.stringContaining('rates.csv:5: columns'),
    ]);
  });

  test('columns that are shifted are told by their number, or by what then stands in them', async () => {
    expect(
      await faultsOf(
        'prefix,name,rate,minimum\n49,Germany, all,0.10,60\nGermany,49,0.10,60\n49,Germany,60,0.10',
      ),
    ).toEqual([
      'rates.csv:2: columns "49,Germany,all,0.10,60": expected 4 columns as in the header, not 5',
      'rates.csv:3: prefix "Germany": expected up to 32 digits, a plus before them at most',
      'rates.csv:4: minimum "0.10": expected whole seconds, 0 to 86400',
    ]);
  });

  test('a file that breaks off in a quote or between columns is told', async () => {
    expect(await faultsOf('prefix,name,rate\n44,UK,0.01\n49,"Germa')).toEqual([
      expect.stringContaining('rates.csv:3: line "49,\\"Germa"'),
    ]);
    expect(await faultsOf('prefix,name,rate\n44,UK,0.01\n49,Germa')).toEqual([
      expect.stringContaining('rates.csv:3: columns "49,Germa": expected 3 columns'),
    ]);
  });

  test('a repeated rate names the first, absent fields and defaults being the same', async () => {
    const faults = await faultsOf(
      'prefix,rate,direction,routes,options,weight,days,from,until\n49,1,,a;b,c;d,,,,\n44,1,,,,,sat,00:00,00:00\n+49,2,outbound,b;a,d;c,100,mon-sun,,\n44,1,outbound,,,,sat,00:00,24:00',
    );
    expect(faults).toEqual([
      'rates.csv:4: prefix "49": expected no second rate for the prefix, direction, routes, options, weight and period of line 2',
      'rates.csv:5: prefix "44": expected no second rate for the prefix, direction, routes, options, weight and period of line 3',
    ]);
  });

  test('Latin-1 is told line by line', async () => {
    const faults = await faultsOf(
      Buffer.from('prefix,rate,name\n49,1,M\u00fcnchen\n44,1,x\n43,1,\u00d6', 'latin1'),
    );
    expect(faults).toEqual([
      'rates.csv:2: line "49,1,M\u{FFFD}nchen": expected text in UTF-8',
      'rates.csv:4: line "43,1,\u{FFFD}": expected text in UTF-8',
    ]);
  });

  test('the first thousand are told, and the others counted', async () => {
    const reading = await readLines('prefix,rate', ...Array.from({ length: 1234 }, () => 'x,1'));
    expect(reading).toMatchObject({ kind: 'errors', errors: { length: 1000 }, more: 234 });
  });

  test('a file without line ends is not taken into memory', async () => {
    let chunks = 0;
    function* endless(): Generator<Uint8Array> {
      yield Buffer.from('prefix,rate\n');
      for (; chunks < 1_000; chunks++) yield Buffer.from('9'.repeat(1_000));
    }
    const reading = await readTariffCsv({ file: 'rates.csv', bytes: endless() });
    expect(reading).toMatchObject({
      kind: 'errors',
      errors: [{ line: 2, field: 'line', expected: 'at most 10000 characters' }],
    });
    expect(chunks).toBeLessThan(20);
  });
});

test('a file that is not there rejects', async () => {
  const file = 'no-such-rates.csv';
  await expect(readTariffCsv({ file, bytes: createReadStream(file) })).rejects.toThrow('ENOENT');
});
