import { get, type IncomingMessage } from 'node:http'
import { within } from '../waiting'

type Answer = { readonly status: number; readonly body: string }

const MAX_BODY_LENGTH = 64 * 1024

/** Our own answer at this URL; undefined when none comes within the limit. */
export async function askSelf(url: string | URL, limitMs: number): Promise<Answer | undefined> {
  const answer = Promise.withResolvers<IncomingMessage>()
  // Bun's fetch uses HTTP_PROXY and ALL_PROXY even for this machine, with no way to turn that off.
  const request = get(new URL(url), { agent: false }, answer.resolve)
  request.on('error', answer.reject)
  try {
    return await within(limitMs, answer.promise.then(read), () => undefined)
  } catch {
    return undefined
  } finally {
    request.destroy()
  }
}

async function read(message: IncomingMessage): Promise<Answer> {
  let body = ''
  for await (const chunk of message.setEncoding('utf8')) {
    body += chunk
    if (body.length > MAX_BODY_LENGTH) break
  }
  return { status: message.statusCode ?? 0, body }
}
