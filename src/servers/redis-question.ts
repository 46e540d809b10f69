import { connect } from 'node:net';

const ANSWER_MS_MAX = 2000;

/** One command on a connection of its own; a bulk or simple reply as text, an error reply rejects. */
export async function askRedis(url: string, command: readonly string[]): Promise<string> {
  const { hostname, port, username, password } = new URL(url);
  const login = password === '' ? [] : ['AUTH', ...(username === '' ? [] : [username]), password];
  const commands = [login.map(decodeURIComponent), command].filter((words) => words.length > 0);
  const socket = connect({ host: hostname, port: port === '' ? 6379 : Math.trunc(+port) });
  socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error(`Redis at ${hostname} does not answer`)));
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let repliesLeft = commands.length;
    socket.once('connect', () => socket.write(commands.map(toWire).join('')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let reply = takeReply(received); reply !== undefined; reply = takeReply(received)) {
        received = received.subarray(reply.length);
        repliesLeft -= 1;
        if (reply.error) reject(new Error(reply.text));
        else if (repliesLeft === 0) resolve(reply.text);
        else continue;
        socket.destroy();
        return;
      }
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`Redis at ${hostname} closed the connection`)));
  });
}

function toWire(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

type Reply = { readonly text: string; readonly error: boolean; readonly length: number };

function takeReply(received: Buffer): Reply | undefined {
  const end = received.indexOf('\r\n');
  if (end === -1) return undefined;
  const kind = received.toString('latin1', 0, 1);
  const head = received.toString('utf8', 1, end);
  if (kind !== '$') return { text: head, error: kind === '-', length: end + 2 };
  const length = end + 2 + Math.max(0, Math.trunc(+head)) + 2;
  if (received.length < length) return undefined;
  return { text: received.toString('utf8', end + 2, length - 2), error: false, length };
}
