/** A part of a list, and what to ask for to get the next one. */
export interface Page {
  readonly next_page_token?: string | undefined;
}

/** All pages of a list. `fetchPage` gets what is to be added to the request: nothing for the first page. */
export async function allPages<P extends Page>(
  fetchPage: (next: { readonly page_token?: string }) => Promise<P>,
): Promise<readonly P[]> {
  const pages: P[] = [];
  let next: { readonly page_token?: string } | null = {};
  while (next !== null) {
    const page: P = await fetchPage(next);
    pages.push(page);
    next = page.next_page_token ? { page_token: page.next_page_token } : null;
  }
  return pages;
}
