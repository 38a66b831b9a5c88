import { messageAnswer, metadataSchema, named, type Operation, objectOf } from '../openapi/operation'
import { permissions } from '../permissions'
import { alice, optionalUserProperties, userProperties } from '../users/docs'

const userSchema = named(
  'ManagedUser',
  objectOf(
    {
      ...userProperties,
      permissions: { type: 'array', items: { type: 'string', enum: permissions } },
      movies: { type: 'integer', minimum: 0, description: 'How many movies the user has added.' },
    },
    optionalUserProperties,
  ),
)
const example = {
  ...alice,
  activated: true,
  permissions: ['movies:read', 'movies:write'],
  movies: 0,
}
const id = { description: 'The id of the user.', example: 2 }
const LAST_ADMIN = 'At least one activated user keeps the permission `admin`.'

export const listUsers: Operation = {
  operationId: 'listUsers',
  summary: 'List users',
  description: 'All users but the built-in account.',
  query: {
    q: { description: 'Part of the name, address or username, in any case.' },
    activated: { description: 'Whether the account is active.' },
    permission: { description: 'Only users who have this permission.' },
    sort: { description: 'The order; `-` in front reverses it.', default: 'id' },
  },
  answers: {
    200: {
      description: 'A page of users.',
      schema: objectOf({ users: { type: 'array', items: userSchema }, metadata: metadataSchema }),
      example: {
        users: [example],
        metadata: { current_page: 1, page_size: 20, first_page: 1, last_page: 1, total_records: 1 },
      },
      headers: ['Link'],
    },
  },
  problems: { permission: 'must be one of movies:read, movies:write, admin' },
}

const userAnswer = (description: string, user: object) => ({
  description,
  schema: objectOf({ user: userSchema }),
  example: { user },
})

export const showUser: Operation = {
  operationId: 'showUser',
  summary: 'Get a user',
  description: 'The built-in account is not among the users.',
  id,
  answers: { 200: userAnswer('The user.', example) },
}

export const changeUser: Operation = {
  operationId: 'changeUser',
  summary: 'Activate a user or change their permissions',
  description: `Permissions are in force at once, on other instances within a second. ${LAST_ADMIN}`,
  id,
  body: {
    name: 'UserChanges',
    fields: {
      activated: { description: 'Only true: to bar a user, take their permissions.' },
      permissions: { description: 'All that the user shall have.' },
    },
    examples: {
      permissions: { summary: 'Let a user only read', value: { permissions: ['movies:read'] } },
      activated: { summary: 'Activate a user without a mail', value: { activated: true } },
    },
  },
  answers: { 200: userAnswer('The user as they are now.', { ...example, permissions: ['movies:read'] }) },
  problems: { permissions: 'must leave an activated admin' },
}

export const removeUser: Operation = {
  operationId: 'removeUser',
  summary: 'Remove a user',
  description: `Their movies go to the built-in account; everything else of theirs is removed. ${LAST_ADMIN}`,
  id,
  answers: { 200: messageAnswer('The user was removed.', 'user removed') },
  problems: { id: 'is the built-in account' },
}
