/** The catalogue of failures: all that the API can refuse, with its status and its words, and for docs/ERRORS.md when it is said and what to do. */
export const failures = {
  invalidHost: {
    status: 400,
    message: 'the header Host must be a host name or address, with a port where there is one',
    when: 'The header `Host` is empty, sent twice, or holds a character that a host name can’t have.',
    fix: 'Send one, such as `Host: movies.example.com` or `Host: localhost:4000`. A name in another script goes in its `xn--` form.',
  },
  emptyBody: {
    status: 400,
    message: 'body must not be empty',
    when: 'The operation needs a body, and none was sent.',
    fix: 'Send one JSON object.',
  },
  notAnObject: {
    status: 400,
    message: 'body must be a JSON object',
    when: 'The body is JSON, but a list, a text, a number or null.',
    fix: 'Put it into an object: `{…}`.',
  },
  notUtf8: {
    status: 400,
    message: 'body must be encoded in UTF-8',
    when: 'The body holds bytes that are no UTF-8.',
    fix: 'Encode the text in UTF-8.',
  },
  nestedTooDeeply: {
    status: 400,
    message: 'body must not be nested deeper than 32 levels',
    when: 'Lists or objects of the body stand in each other more than 32 times.',
    fix: 'Send the fields of the operation, of which none is that deep.',
  },
  badlyFormedJson: {
    status: 400,
    message: 'body contains badly-formed JSON',
    when: 'The body is no JSON; the message adds at which character it stops being that.',
    fix: 'Fix it there: a comma too many, a quote too few, a second value.',
  },
  unreadableBody: {
    status: 400,
    message: 'body could not be read to its end',
    when: 'The connection ended, or 15 seconds passed, before the body was there.',
    fix: 'Send it again.',
  },
  authenticationRequired: {
    status: 401,
    message: 'you must be authenticated to access this resource',
    when: 'The operation needs a token, and the request has none.',
    fix: 'Sign in, and send `Authorization: Bearer <token>`.',
  },
  invalidAuthenticationToken: {
    status: 401,
    message: 'invalid or missing authentication token',
    when: 'The token is misspelt, past its time or revoked, or the header is not of the form `Bearer <token>`.',
    fix: 'Sign in again.',
  },
  invalidCredentials: {
    status: 401,
    message: 'invalid authentication credentials',
    when: 'Unknown user or wrong password; or too many sign-ins to this account failed within a minute, by another of its names.',
    fix: 'Check both, and try again in a minute; a forgotten password is reset by mail.',
  },
  notActivated: {
    status: 403,
    message: 'your user account must be activated to access this resource',
    when: 'The account has not been activated.',
    fix: 'Send the token of the activation mail to `PUT /v1/users/activated`; `POST /v1/tokens/activation` asks for another.',
  },
  notPermitted: {
    status: 403,
    message: "your user account doesn't have the necessary permissions to access this resource",
    when: 'The account lacks the permission `movies:read` or `movies:write`.',
    fix: 'Ask the operator, who grants it: `redlight users grant`.',
  },
  notCreator: {
    status: 403,
    message: 'only the user who created this movie can change it',
    when: 'Somebody else added the movie.',
    fix: 'Ask its `created_by`, or the operator.',
  },
  notFound: {
    status: 404,
    message: 'the requested resource could not be found',
    when: 'The path is unknown, the id is no positive integer, or there is no such record (any more).',
    fix: 'Check the path and the id.',
  },
  methodNotAllowed: {
    status: 405,
    message: 'the method is not supported for this resource',
    when: 'The path is known, but not with this method, which the message names in place of “the method”.',
    fix: 'Use one of those that the header `Allow` lists.',
  },
  editConflict: {
    status: 409,
    message: 'unable to update the record due to an edit conflict, please try again',
    when: 'The record was changed in between, or `X-Expected-Version` is not its version.',
    fix: 'Read it again, apply the change to what it is now, send that.',
  },
  preconditionFailed: {
    status: 412,
    message: 'unable to update the record due to an edit conflict, please try again',
    when: '`If-Match` is not the current `ETag`; or `If-None-Match: *` asks for a new movie, and it is there already.',
    fix: 'As for 409.',
  },
  bodyTooLarge: {
    status: 413,
    message: 'body must not be larger than 1048576 bytes',
    when: 'The body is over 1 MiB.',
    fix: 'Send less.',
  },
  unsupportedMediaType: {
    status: 415,
    message: 'the body must be JSON, sent with the header Content-Type: application/json',
    when: 'The header `Content-Type` is missing or names something other than JSON in UTF-8 or US-ASCII.',
    fix: 'Send `Content-Type: application/json`.',
  },
  unsupportedContentEncoding: {
    status: 415,
    message: 'the body must not be compressed: send it without the header Content-Encoding',
    when: 'The header `Content-Encoding` names a compression such as `gzip`.',
    fix: 'Send the JSON as it is. The header `Accept-Encoding` of the answer says the same: `identity`.',
  },
  invalid: {
    status: 422,
    message: 'the request breaks a rule',
    when: 'The body or the query breaks rules. `error` is an object with a message for each field or parameter, and for a close miss what was probably meant.',
    fix: 'Fix every field that is named.',
  },
  rateLimited: {
    status: 429,
    message: 'rate limit exceeded',
    when: 'More requests, sign-ins, registrations or mails than the limits of the service allow. A request that is large, has a large answer or takes long in the database counts for more than one.',
    fix: 'Wait as many seconds as `Retry-After` says.',
  },
  internal: {
    status: 500,
    message: 'the server encountered a problem and could not process your request',
    when: 'A mistake of the service.',
    fix: 'Tell the operator the header `X-Request-Id`: the log explains that request under the same id.',
  },
  databaseUnavailable: {
    status: 503,
    message: 'the database is out of reach or too slow, please try again',
    when: 'The database does not answer, or not in time.',
    fix: 'Send it again after `Retry-After`.',
  },
  databaseReadOnly: {
    status: 503,
    message: 'the database takes no writes now, please try again',
    when: 'The healthcheck was asked with `for=writes`, and the database is read-only, a standby or away.',
    fix: 'Send what writes to another instance, or ask again after `Retry-After`. Reads work.',
  },
  tooManySignIns: {
    status: 503,
    message: 'too many sign-ins are waiting, please try again',
    when: 'Others sign in at the same moment, more than the service has room for.',
    fix: 'Send it again after `Retry-After`.',
  },
  tooManyBodies: {
    status: 503,
    message: 'too many large bodies arrive at once, please try again',
    when: 'Bodies of over 64 kB that are still on their way hold all the memory that is set apart for them.',
    fix: 'Send it again after `Retry-After`.',
  },
  tooManyAnswers: {
    status: 503,
    message: 'too many large answers are waiting to be read, please try again',
    when: 'Answers of over 256 kB that their clients have not read yet hold all the memory that is set apart for them, or this client’s half of it.',
    fix: 'Read the answers that are under way, and send it again after `Retry-After`; ask for smaller pages.',
  },
  shuttingDown: {
    status: 503,
    message: 'the server is shutting down, please try again',
    when: 'The service is being stopped.',
    fix: 'Send it again after `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; message: string; when: string; fix: string }>

export type FailureCode = keyof typeof failures
export type FieldMessages = Readonly<Record<string, string>>

/** A refusal on its way to the client; http/error-responses writes it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  constructor(
    readonly code: FailureCode,
    readonly detail: {
      readonly error?: string | FieldMessages
      readonly headers?: Record<string, string>
      readonly cause?: unknown
    } = {},
  ) {
    super(failures[code].message, { cause: detail.cause })
  }
}

/** 422 with a message for each failing field. */
export const invalid = (fields: FieldMessages) => new Failure('invalid', { error: fields })

/** A failure for the operator: one line that says what is wrong and what to do about it. Exit code 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  /** No restart fixes it: then `serve` exits with 78, at which a service manager gives up. */
  readonly isFinal: boolean
  constructor(message: string, { isFinal = false } = {}) {
    super(message)
    this.isFinal = isFinal
  }
}
