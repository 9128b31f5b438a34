/** Records by id and by owner, so that "all of this user" never scans everybody's. */
export class GroupedRecords<R extends { readonly id: string; readonly userId: string }> {
  private readonly byId = new Map<string, R>();
  private readonly idsByUser = new Map<string, Set<string>>();

  get(id: string): R | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<R> {
    return this.byId.values();
  }

  /** Oldest first. */
  ofUser(userId: string): readonly R[] {
    return [...(this.idsByUser.get(userId) ?? [])].flatMap((id) => this.byId.get(id) ?? []);
  }

  set(record: R): void {
    this.byId.set(record.id, record);
    const ids = this.idsByUser.get(record.userId);
    if (ids === undefined) this.idsByUser.set(record.userId, new Set([record.id]));
    else ids.add(record.id);
  }

  update(id: string, change: Partial<Omit<R, 'id' | 'userId'>>): void {
    const record = this.byId.get(id);
    if (record !== undefined) this.byId.set(id, { ...record, ...change });
  }

  delete(id: string): void {
    const record = this.byId.get(id);
    if (record === undefined) return;
    this.byId.delete(id);
    const ids = this.idsByUser.get(record.userId);
    ids?.delete(id);
    if (ids?.size === 0) this.idsByUser.delete(record.userId);
  }
}
