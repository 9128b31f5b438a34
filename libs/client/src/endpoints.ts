import { GantryError } from '@gantry/kernel/gantry-error';

/** The addresses of one Gantry: all are good, one is used until it fails. */
export class Endpoints {
  private readonly urls: readonly URL[];
  private current = 0;

  /** One address, or several separated by commas. */
  constructor(addresses: string) {
    const texts = addresses.split(',').map((text) => text.trim());
    this.urls = texts.filter((text) => text !== '' && URL.canParse(text)).map((text) => new URL(text));
    if (this.urls.length === 0 || this.urls.length < texts.length)
      throw new GantryError(
        'CLIENT.BAD_ADDRESS',
        'invalid',
        `"${addresses}" is no address of an API. Write one such as http://localhost:4000, or several with commas.`,
      );
  }

  get url(): URL {
    return this.urls[this.current] as URL;
  }

  get count(): number {
    return this.urls.length;
  }

  /** `failed` did not serve: the next one is tried, unless somebody has moved on already. */
  leave(failed: URL): void {
    if (failed === this.url) this.current = (this.current + 1) % this.urls.length;
  }
}
