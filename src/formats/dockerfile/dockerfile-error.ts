/** Why a Dockerfile cannot be read. @module */
import { CodedError } from '#errors'

export type DockerfileErrorCode =
  /** A line of a Dockerfile is not as BuildKit reads it. */
  | 'DOCKERFILE_SYNTAX'
  /** A variable in the name of an image has no value, or is written in a way that is not supported. */
  | 'DOCKERFILE_VARIABLE'
  /** A Dockerfile is larger than anybody's, or its variables unfold to too much. */
  | 'DOCKERFILE_LIMIT'

/** A Dockerfile of which it cannot be said which images it names. */
export class DockerfileError extends CodedError<DockerfileErrorCode> {
  override readonly name = 'DockerfileError'
}
