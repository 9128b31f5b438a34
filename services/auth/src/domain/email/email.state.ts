/** Who holds an address. The aggregate's id is the hash of the lower-cased address. */
export type EmailState = { readonly status: 'free' } | { readonly status: 'reserved'; readonly userId: string };

export const freeEmail: EmailState = { status: 'free' };
