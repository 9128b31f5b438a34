import { describe, expect, it } from 'vitest';
import { imageProblem } from './image-error.js';

/** Texts as engines write them. */
describe('image problems', () => {
  it.each([
    [
      '(HTTP code 404) unexpected - manifest for busybox:nope not found: manifest unknown: manifest unknown ',
      'missing',
      false,
    ],
    [
      "(HTTP code 404) unexpected - pull access denied for nobody/nothing, repository does not exist or may require 'docker login': denied: requested access to the resource is denied ",
      'missing',
      false,
    ],
    [
      '(HTTP code 500) server error - Get "https://r.example/v2/": unauthorized: authentication required ',
      'unauthorised',
      false,
    ],
    [
      '(HTTP code 500) server error - Head "https://r.example/v2/x/manifests/1": no basic auth credentials ',
      'unauthorised',
      false,
    ],
    [
      '(HTTP code 500) server error - Get "https://r.example/v2/": dial tcp: lookup r.example: no such host ',
      'unreachable',
      true,
    ],
    [
      '(HTTP code 500) server error - Get "https://10.0.0.1/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded) ',
      'unreachable',
      true,
    ],
    [
      '(HTTP code 500) server error - Get "https://r.example/v2/": x509: certificate signed by unknown authority ',
      'unreachable',
      true,
    ],
    ['write /var/lib/docker/tmp/GetImageBlob1: no space left on device', 'no_space', false],
    ['failed to register layer: write /usr/lib/x: disk quota exceeded', 'no_space', false],
    ['open /var/lib/docker/tmp/GetImageBlob1: read-only file system', 'engine', true],
    ['mkdir /var/lib/docker/overlay2/l: permission denied', 'engine', true],
    [
      '(HTTP code 500) server error - dial unix /run/containerd/containerd.sock: connect: connection refused ',
      'engine',
      true,
    ],
    ['context canceled', 'engine', true],
    ['toomanyrequests: You have reached your unauthenticated pull rate limit. ', 'rate_limited', true],
    ['received unexpected HTTP status: 503 Service Unavailable', 'unreachable', true],
    ['unexpected status code 520 from GET request to https://r.example/v2/x/blobs/1', 'unreachable', true],
    ['Get "https://r.example/v2/": context deadline exceeded', 'unreachable', true],
    ['(HTTP code 400) unexpected - invalid reference format ', 'invalid', false],
    ['something else', 'other', false],
  ])('%s', (text, kind, retryable) => {
    const problem = imageProblem('some/image:1', text);
    const blame = kind === 'no_space' || kind === 'engine' ? 'worker' : 'image';
    expect(problem).toMatchObject({ kind, retryable, blame });
    expect(problem.message).toContain('some/image:1');
    expect(problem.message).not.toContain('HTTP code');
  });
});
