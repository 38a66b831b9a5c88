import { expect, test } from 'bun:test'
import { createSmtpMailer } from '../../src/mail/mailer'
import { configOf, type Environment, problemsOf, SMTP } from '../support/config'
import { startSmtp } from '../support/smtp'

/** The name in EHLO of a mail that this configuration sends. */
async function greetingOf(environment: Environment): Promise<string> {
  let greeting = ''
  const server = await startSmtp({
    onMailFrom(_, { hostNameAppearsAs }, callback) {
      greeting = hostNameAppearsAs
      callback()
    },
  })
  const { smtp } = configOf({ SMTP_HOST: '127.0.0.1', SMTP_PORT: String(server.port), ...environment })
  if (smtp === undefined) throw new Error('there is no mail server in it')
  const mailer = createSmtpMailer(smtp)
  await mailer.send({ to: 'a@example.com', messageId: '<1@x>', subject: 's', text: 't', html: '<p>t</p>' })
  mailer.close()
  await server.stop()
  return greeting
}

const SMTP_SENDER = 'Redlight <no-reply@example.org>'
const greetings: [environment: Environment, name: string][] = [
  [{ PUBLIC_URL: 'https://movies.example.com/api' }, 'movies.example.com'],
  [{ PUBLIC_URL: 'https://bücher.example:8443', SMTP_SENDER }, 'xn--bcher-kva.example'],
  [{ PUBLIC_URL: 'http://localhost:4000', SMTP_SENDER }, 'example.org'],
  [{ PUBLIC_URL: 'http://192.0.2.1', SMTP_SENDER: 'no-reply@example.org' }, 'example.org'],
  [{ PUBLIC_URL: 'http://[2001:db8::1]', SMTP_SENDER }, 'example.org'],
  [{ PUBLIC_URL: 'https://movies.example.com', SMTP_NAME: 'mail' }, 'mail'],
  [{ SMTP_NAME: 'out.example.net', SMTP_SENDER }, 'out.example.net'],
  [{ SMTP_NAME: '192.0.2.1' }, '[192.0.2.1]'],
  // The test server converts it to lower case.
  [{ SMTP_NAME: '2001:db8::1' }, '[ipv6:2001:db8::1]'],
]

test.each(greetings)('with %j, EHLO says %s', async (environment, name) => {
  expect(await greetingOf(environment)).toBe(name)
})

test('without a name that has a dot, EHLO has the name of this machine', () => {
  expect(configOf({ ...SMTP, PUBLIC_URL: 'http://movies' }).smtp?.name).toBeUndefined()
})

test('SMTP_NAME is a name, and needs a mail server', () => {
  for (const SMTP_NAME of ['a b', '[192.0.2.1]', 'https://x.example', 'x.example:25'])
    expect(problemsOf({ ...SMTP, SMTP_NAME })).toEqual([
      `SMTP_NAME must be a host name or an IP address, without scheme, port or brackets, not "${SMTP_NAME}"`,
    ])
  expect(problemsOf({ SMTP_NAME: 'x.example' })).toEqual([
    'SMTP_NAME is set without SMTP_HOST: set SMTP_HOST, or unset SMTP_NAME',
  ])
})
