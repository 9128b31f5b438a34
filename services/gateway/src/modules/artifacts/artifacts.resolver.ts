import { Inject } from '@nestjs/common';
import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import type { Caller } from '../../security/caller.js';
import { ArtifactLinks } from './artifact-links.js';

@Resolver()
export class ArtifactsResolver {
  constructor(@Inject(ArtifactLinks) private readonly links: ArtifactLinks) {}

  @Mutation('createDownloadTicket')
  createDownloadTicket(
    @Args('taskId') taskId: string,
    @Args('artifactId') artifactId: string | null | undefined,
    @Context('caller') caller: Caller,
  ) {
    return artifactId === undefined || artifactId === null
      ? this.links.forLogs(taskId, caller)
      : this.links.forArtifact(taskId, artifactId, caller);
  }
}
