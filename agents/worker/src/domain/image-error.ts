type Kind = 'unauthorised' | 'missing' | 'unreachable' | 'rate_limited' | 'invalid' | 'no_space' | 'engine' | 'other';

/** The engine answers most pull errors with the same status, so only its words tell them apart. */
export interface ImageProblem {
  readonly kind: Kind;
  readonly message: string;
  /** Whose fault it is: another worker would pull it. */
  readonly blame: 'image' | 'worker';
  /** Trying again on the same machine may help. */
  readonly retryable: boolean;
}

const rules: readonly {
  readonly words: RegExp;
  readonly kind: Kind;
  readonly retryable: boolean;
  say(image: string): string;
}[] = [
  {
    words: /no space left|disk quota exceeded/i,
    kind: 'no_space',
    retryable: false,
    say: (image) => `The worker's disk is full, so ${image} could not be pulled. Remove images or add space.`,
  },
  {
    // Paths are the engine's own, its sockets among them; a registry is named by its URL.
    words:
      /read-only file system|input\/output error|too many open files|cannot allocate memory|(daemon|engine) is shutting down|context canceled|(dial unix|mkdir|open|write|read|stat|lstat|chmod|rename|remove) \/\S+:/i,
    kind: 'engine',
    retryable: true,
    say: (image) =>
      `The worker's container engine could not take ${image}. Look at the engine's own log and at its disk.`,
  },
  {
    words: /toomanyrequests|rate limit|429 Too Many/i,
    kind: 'rate_limited',
    retryable: true,
    say: (image) =>
      `The registry of ${image} has answered too many requests. Try later, or give the worker credentials for it.`,
  },
  {
    // The hub does not tell a private image from one that does not exist.
    words: /pull access denied|requested access to the resource is denied/i,
    kind: 'missing',
    retryable: false,
    say: (image) =>
      `The image ${image} does not exist in its registry, or is private. Check its name, or give the worker credentials for it.`,
  },
  {
    words:
      /no basic auth credentials|unauthorized|authentication required|access.*denied.*login|incorrect username or password|401 Unauthorized/i,
    kind: 'unauthorised',
    retryable: false,
    say: (image) =>
      `The registry refused access to ${image}. Check that the image is public, or give the worker credentials for it.`,
  },
  {
    words: /manifest unknown|not found|repository does not exist|no such image|name unknown|404 Not Found/i,
    kind: 'missing',
    retryable: false,
    say: (image) => `The image ${image} does not exist in its registry. Check its name and tag.`,
  },
  {
    words: /denied/i,
    kind: 'unauthorised',
    retryable: false,
    say: (image) => `The registry refused access to ${image}. Check its name, or give the worker credentials for it.`,
  },
  {
    words:
      /no such host|connection refused|i\/o timeout|timeout|network is unreachable|no route to host|server misbehaving|tls|x509|EOF|connection reset|lookup|dial tcp|context deadline exceeded|status( code)?:? 5\d\d|\b50\d (Internal|Bad|Service|Gateway)/i,
    kind: 'unreachable',
    retryable: true,
    say: (image) =>
      `The registry of ${image} could not be reached from the worker. Check the registry and the worker's network.`,
  },
  {
    words: /invalid reference format|invalid tag|must be lowercase/i,
    kind: 'invalid',
    retryable: false,
    say: (image) => `"${image}" is no valid image reference.`,
  },
];

/** Says in words what to do about an image that the engine could not provide; `reason` is the engine's own text. */
export function imageProblem(image: string, reason: string): ImageProblem {
  const detail = reason.replace(/^\(HTTP code \d+\)\s*/, '').trim();
  for (const rule of rules) {
    if (rule.words.test(detail)) {
      const { kind, retryable } = rule;
      const blame = kind === 'no_space' || kind === 'engine' ? 'worker' : 'image';
      return { kind, message: `${rule.say(image)} (${detail})`, blame, retryable };
    }
  }
  return {
    kind: 'other',
    message: `The image ${image} could not be pulled: ${detail}`,
    blame: 'image',
    retryable: false,
  };
}
