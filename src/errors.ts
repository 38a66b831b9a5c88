/** All failures of the API, with status and message; `when` and `fix` are for docs/ERRORS.md. */
export const failures = {
  invalidHost: {
    status: 400,
    message: 'the header Host must be a host name or address, with a port where there is one',
    when: 'The header `Host` is empty, sent twice, or has a character that isn’t allowed in a host name.',
    fix: 'Send one like `Host: movies.example.com` or `Host: localhost:4000`. Write international names in their `xn--` form.',
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
    when: 'The body is JSON, but not an object.',
    fix: 'Send an object: `{…}`.',
  },
  notUtf8: {
    status: 400,
    message: 'body must be encoded in UTF-8',
    when: 'The body isn’t valid UTF-8.',
    fix: 'Encode the text in UTF-8.',
  },
  nestedTooDeeply: {
    status: 400,
    message: 'body must not be nested deeper than 32 levels',
    when: 'Lists and objects in the body are nested more than 32 levels deep.',
    fix: 'Send only the fields of the operation; none is that deep.',
  },
  badlyFormedJson: {
    status: 400,
    message: 'body contains badly-formed JSON',
    when: 'The body isn’t valid JSON; the message says where parsing failed.',
    fix: 'Fix the syntax there: an extra comma, a missing quote, or trailing data.',
  },
  unreadableBody: {
    status: 400,
    message: 'body could not be read to its end',
    when: 'The connection was closed, or 15 seconds passed, before the whole body arrived.',
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
    when: 'The token is misspelt, expired or revoked, or the header doesn’t have the form `Bearer <token>`; the same for an API key, which doesn’t expire.',
    fix: 'Sign in again, or make another key.',
  },
  invalidCredentials: {
    status: 401,
    message: 'invalid authentication credentials',
    when: 'Unknown user or wrong password, or too many failed sign-ins to this account within a minute.',
    fix: 'Check both, and try again in a minute; a forgotten password can be reset by mail.',
  },
  notActivated: {
    status: 403,
    message: 'your user account must be activated to access this resource',
    when: 'The account has not been activated.',
    fix: 'Send the token of the activation mail to `PUT /v1/users/activated`; `POST /v1/tokens/activation` sends another.',
  },
  notPermitted: {
    status: 403,
    message: "your user account doesn't have the necessary permissions to access this resource",
    when: 'The account lacks the permission `movies:read`, `movies:write` or `admin`; or an API key asks for something other than movies to read, or its owner lacks `movies:read`.',
    fix: 'Ask the operator to grant it (`redlight users grant`). What a key can’t do needs a signed-in user’s token.',
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
    when: 'The path is unknown, the id isn’t a positive integer, or the record doesn’t exist (any more).',
    fix: 'Check the path and the id.',
  },
  methodNotAllowed: {
    status: 405,
    message: 'the method is not supported for this resource',
    when: 'The path doesn’t support this method; the message names it in place of “the method”.',
    fix: 'Use a method from the header `Allow`.',
  },
  editConflict: {
    status: 409,
    message: 'unable to update the record due to an edit conflict, please try again',
    when: 'Somebody else has changed the record, or `X-Expected-Version` is not its version.',
    fix: 'Fetch it again, apply your change, and retry.',
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
    fix: 'Send uncompressed JSON, as `Accept-Encoding: identity` in the answer says.',
  },
  invalid: {
    status: 422,
    message: 'the request breaks a rule',
    when: 'The body or query breaks rules. `error` is an object with a message for each field or parameter, with a suggestion for a near miss.',
    fix: 'Fix every field that it lists.',
  },
  rateLimited: {
    status: 429,
    message: 'rate limit exceeded',
    when: 'Too many requests, sign-ins, registrations or mails. A request that is large, has a large answer or takes long in the database counts for more than one.',
    fix: 'Wait for the seconds in `Retry-After`.',
  },
  internal: {
    status: 500,
    message: 'the server encountered a problem and could not process your request',
    when: 'Internal error.',
    fix: 'Give the operator the `X-Request-Id` of the answer: the log has the details under it.',
  },
  databaseUnavailable: {
    status: 503,
    message: 'the database is out of reach or too slow, please try again',
    when: 'The database doesn’t answer in time.',
    fix: 'Retry after the seconds in `Retry-After`.',
  },
  databaseReadOnly: {
    status: 503,
    message: 'the database takes no writes now, please try again',
    when: 'The healthcheck was asked with `for=writes`, and the database is read-only, a standby or away.',
    fix: 'Send writes to another instance, or retry after the seconds in `Retry-After`. Reads work.',
  },
  tooManySignIns: {
    status: 503,
    message: 'too many sign-ins are waiting, please try again',
    when: 'Too many people are signing in at the same moment.',
    fix: 'Retry after the seconds in `Retry-After`.',
  },
  tooManyBodies: {
    status: 503,
    message: 'too many large bodies arrive at once, please try again',
    when: 'Too many large uploads (over 64 kB) are in progress.',
    fix: 'Retry after the seconds in `Retry-After`.',
  },
  tooManyAnswers: {
    status: 503,
    message: 'too many large answers are waiting to be read, please try again',
    when: 'Too many large answers (over 256 kB), in total or for this client, have not been read yet.',
    fix: 'Finish reading earlier answers, and retry after the seconds in `Retry-After`; ask for smaller pages.',
  },
  shuttingDown: {
    status: 503,
    message: 'the server is shutting down, please try again',
    when: 'The service is being stopped.',
    fix: 'Retry after the seconds in `Retry-After`.',
  },
} as const satisfies Record<string, { status: number; message: string; when: string; fix: string }>

export type FailureCode = keyof typeof failures
export type FieldMessages = Readonly<Record<string, string>>

/** A failure for the client; http/error-responses writes it. */
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

/** A failure for the operator: one line with the problem and the fix. Exit code 1. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  /** A restart can't fix it: `serve` exits with 78, and the service manager gives up. */
  readonly isFinal: boolean
  constructor(message: string, { isFinal = false } = {}) {
    super(message)
    this.isFinal = isFinal
  }
}

/** Wrong usage of the command line: one line, and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
