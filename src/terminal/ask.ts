import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/** Questions to a person at a terminal. */
export type Ask = {
  /** False unless the answer is yes. */
  confirm(question: string): Promise<boolean>
  /** An answer that is not shown while it is typed; undefined if it is broken off with Ctrl-C or Ctrl-D. */
  unseen(question: string): Promise<string | undefined>
}
type Streams = { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream }

export const createAsk = ({ input, output }: Streams): Ask => ({
  async confirm(question) {
    const answer = await readLine(input, output, `${question} [y/N] `)
    return /^y(es)?$/i.test(answer?.trim() ?? '')
  },
  async unseen(question) {
    output.write(question)
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
    const answer = await readLine(input, nowhere, '')
    output.write('\n')
    return answer
  },
})

/** readline edits the line; what it would echo goes to `output`. */
function readLine(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  question: string,
): Promise<string | undefined> {
  const lines = createInterface({ input, output, terminal: true, historySize: 0 })
  return new Promise<string | undefined>((resolve) => {
    lines.once('SIGINT', () => lines.close())
    lines.once('close', () => resolve(undefined))
    lines.question(question, resolve)
  }).finally(() => lines.close())
}
