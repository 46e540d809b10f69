import { createServer } from 'node:net';
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts';
import { createVirtualTime, type VirtualTime } from '../../src/simulator/time-source.ts';
import { EslClient, until } from './esl-client.ts';

const STEP_MS = 10;
const TURNS_PER_STEP = 4;
const SPAN_MAX_MS = 120_000;

/** A simulator on virtual time, with the clients that a test opens; `close` closes them all. */
export class Stage implements AsyncDisposable {
  readonly time: VirtualTime;
  readonly sim: Simulator;
  readonly #clients: EslClient[] = [];
  readonly #closers: (() => Promise<void>)[] = [];

  private constructor(time: VirtualTime, sim: Simulator) {
    this.time = time;
    this.sim = sim;
  }

  static async open(options: SimulatorOptions = {}): Promise<Stage> {
    const time = createVirtualTime();
    const sim = await createSimulator({ time, seed: 1, schedulerPhaseMs: 0, ...options });
    return new Stage(time, sim);
  }

  async login(subscription?: string): Promise<EslClient> {
    const client = await EslClient.login(this.sim.port, subscription);
    this.#clients.push(client);
    return client;
  }

  async connect(expecting: 'a greeting' | 'no greeting' = 'a greeting'): Promise<EslClient> {
    const { port } = this.sim;
    const client = expecting === 'a greeting' ? await EslClient.open(port) : EslClient.dial(port);
    this.#clients.push(client);
    return client;
  }

  /** A controller for outbound sockets; what it answers is given per connection. */
  async listen(serve: (client: EslClient) => void): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      const client = new EslClient(socket);
      this.#clients.push(client);
      serve(client);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#closers.push(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Lets what is on the sockets arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS_PER_STEP; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time in small steps, with room for the sockets between them. */
  async run(spanMs: number): Promise<void> {
    for (let moved = 0; moved < spanMs; moved += STEP_MS) {
      this.time.advance(Math.min(STEP_MS, spanMs - moved));
      await this.settle();
    }
  }

  async runUntil(what: string, isDone: () => boolean): Promise<void> {
    for (let moved = 0; moved < SPAN_MAX_MS; moved += STEP_MS) {
      await this.settle();
      if (isDone()) return;
      this.time.advance(STEP_MS);
    }
    throw new Error(`in vain: ${what}`);
  }

  async runUntilQuiet(): Promise<void> {
    await this.runUntil('the end of all calls', () => this.sim.liveCount === 0);
    await this.run(100);
  }

  /** Asks while time goes on, for commands that take some. */
  async ask(client: EslClient, command: string): Promise<string> {
    let answer: string | undefined;
    const asking = client.ask(command).then((text) => {
      answer = text;
    });
    await this.runUntil(`an answer to ${command}`, () => answer !== undefined);
    await asking;
    return answer ?? '';
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.sim.close();
    for (const close of this.#closers) await close();
    await until('the clients to close', () => this.#clients.every((client) => client.isClosed));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
