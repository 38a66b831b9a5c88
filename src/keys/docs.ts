import { messageAnswer, named, type Operation, objectOf } from '../openapi/operation'

const keyProperties = {
  id: { type: 'integer', format: 'int64', minimum: 1 },
  name: { type: 'string', minLength: 1, maxLength: 100 },
  prefix: { type: 'string', description: 'The start of the key, to recognize it.' },
  created_at: { type: 'string', format: 'date-time' },
  last_used_on: { type: 'string', format: 'date', nullable: true, description: 'The day of its last use.' },
}
const keySchema = named('Key', objectOf(keyProperties))
const newKeySchema = named(
  'NewKey',
  objectOf({
    ...keyProperties,
    key: { type: 'string', description: 'The key itself.', pattern: '^rl_[0-9A-Za-z]{36}$' },
  }),
)
const tv = {
  id: 1,
  name: 'TV',
  prefix: 'rl_0123',
  created_at: '2026-01-02T03:04:05Z',
  last_used_on: null,
}

export const createKey: Operation = {
  operationId: 'createKey',
  summary: 'Make an API key',
  description: `A key is for programs that can't sign in: a television, a bot, a website. It reads movies and nothing else, and is
good until it is revoked. Send it as \`Authorization: Bearer <key>\`. This answer is the only one that shows it. You can have 20.`,
  body: {
    name: 'KeyInput',
    fields: { name: { description: 'What the key is for.' } },
    examples: { tv: { summary: 'For a television', value: { name: 'TV' } } },
  },
  answers: {
    201: {
      description: 'The key was made.',
      schema: objectOf({ key: newKeySchema }),
      example: { key: { ...tv, key: 'rl_0123456789ABCDEFGHIJKLMNOPQRST4PMbyp' } },
    },
  },
  problems: { name: 'must be provided' },
}

export const listKeys: Operation = {
  operationId: 'listKeys',
  summary: 'List your API keys',
  description: 'Newest first. The keys themselves are not shown.',
  answers: {
    200: {
      description: 'Your keys.',
      schema: objectOf({ keys: { type: 'array', items: keySchema } }),
      example: { keys: [tv] },
    },
  },
}

export const revokeKey: Operation = {
  operationId: 'revokeKey',
  summary: 'Revoke an API key',
  description: 'It stops working at once.',
  id: { description: 'The id of a key of yours.', example: 1 },
  answers: { 200: messageAnswer('The key was revoked.', 'key revoked') },
}
