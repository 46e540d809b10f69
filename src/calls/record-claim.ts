/** Where controllers keep their record. */
export type RecordPlace = {
  /** Equal for all who may write it together. Without spaces. */
  readonly identity: string;
  /** For a person. */
  readonly words: string;
};

/** Says to all who share a live state in which record it ends. Redis keeps it while anybody renews it. */
export type RecordClaim = {
  /** Claims it for this place, or renews that. Gives the place of the others where theirs is another. */
  hold(place: RecordPlace): Promise<RecordPlace | undefined>;
  /** What is claimed now; undefined where no controller runs. */
  holder(): Promise<RecordPlace | undefined>;
};
