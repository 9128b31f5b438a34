/** Hands a downloaded body to the browser's own save dialogue. */
export function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  document.body.append(link);
  link.click();
  link.remove();
  // Firefox reads the URL after the click returned.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
