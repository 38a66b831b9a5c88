import { metadataSchema, named, type Operation, objectOf } from '../openapi/operation'
import { actions, subjectKinds } from './model'

const id = { type: 'integer', format: 'int64', minimum: 1 }
const name = { type: 'string', description: 'As it was then.' }

const eventSchema = named(
  'AuditEvent',
  objectOf({
    id,
    at: { type: 'string', format: 'date-time' },
    actor: {
      oneOf: [objectOf({ id, name }), { type: 'null' }],
      description: 'The user who did it; null for the command line, where `detail.by` is the system user.',
    },
    action: { type: 'string', enum: actions },
    subject: objectOf({
      kind: { type: 'string', enum: subjectKinds },
      id: { ...id, type: ['integer', 'null'], description: 'Null for the catalogue.' },
      name,
    }),
    detail: { type: 'object', additionalProperties: true },
    request_id: {
      type: ['string', 'null'],
      description: 'The `X-Request-Id` of the request; null for the command line.',
    },
  }),
)

export const listEvents: Operation = {
  operationId: 'listEvents',
  summary: 'List who did what',
  description:
    'The trail of permissions, accounts, passwords, keys, deleted and reassigned movies, imports and restores, newest first. Adding and changing movies is not in it.',
  query: {
    actor: { description: 'The id of the user who did it.' },
    action: { description: 'The action.' },
    subject: { description: 'The affected record: a kind and an id, such as `movie:12` or `user:7`.' },
    from: { description: 'A time or date in UTC; included.' },
    to: { description: 'A time or date in UTC; included.' },
  },
  answers: {
    200: {
      description: 'A page of events.',
      schema: objectOf({ events: { type: 'array', items: eventSchema }, metadata: metadataSchema }),
      example: {
        events: [
          {
            id: 1,
            at: '2026-01-02T03:04:05Z',
            actor: { id: 2, name: 'Alice' },
            action: 'permission.granted',
            subject: { kind: 'user', id: 3, name: 'Bob' },
            detail: { permission: 'movies:write' },
            request_id: '6f1f9bde-3c8a-4b0e-9a51-0c1f0f1ad3a1',
          },
        ],
        metadata: { current_page: 1, page_size: 20, first_page: 1, last_page: 1, total_records: 1 },
      },
      headers: ['Link'],
    },
  },
  problems: { action: 'must be one of …' },
}
