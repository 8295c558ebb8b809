namespace FwCluster.Control.Rulesets;

/// <summary>What may follow which generation, and what follows.</summary>
internal static class RulesetSuccession
{
    /// <summary>Refuses rules that may not follow a generation.</summary>
    /// <exception cref="RulesetRefusedException">They may not.</exception>
    public static void Check(RulesetGeneration before, ulong? expects)
    {
        if (expects is { } expected && expected != before.Number)
            throw new RulesetRefusedException(RulesetRefusal.Stale, $"the rules were to follow generation {expected}, but generation {before.Number} is in force");
        if (before.ConfirmBy is { } until)
        {
            throw new RulesetRefusedException(
                RulesetRefusal.Unconfirmed, $"generation {before.Number} waits to be confirmed until {until.UtcDateTime:HH:mm:ss} UTC; confirm it first, or wait");
        }
    }

    /// <summary>The generation that rules make.</summary>
    public static RulesetGeneration Next(RulesetGeneration before, RulesetTexts texts, RulesetReason reason, DateTimeOffset now) => new()
    {
        Number = before.Number + 1,
        Applied = now,
        Author = GenerationFile.OneLine(reason.Author),
        Comment = GenerationFile.OneLine(reason.Comment),
        Restores = reason.Restores,
        ConfirmBy = now + reason.ConfirmWithin,
        Digest = texts.Digest(),
    };

    /// <summary>The generation that brings back the rules before one that nobody confirmed.</summary>
    public static RulesetGeneration Undo(RulesetGeneration undone, RulesetGeneration before, string when, DateTimeOffset now) => new()
    {
        Number = undone.Number + 1,
        Applied = now,
        Author = RulesetGeneration.Daemon,
        Comment = $"generation {undone.Number} was not confirmed {when}",
        Restores = before.Number,
        Digest = before.Digest,
    };

    /// <summary>The generation that stays where one is not confirmed.</summary>
    public static RulesetGeneration LastKept(RulesetStore store, RulesetGeneration unconfirmed)
        => store.History(int.MaxValue, unconfirmed.Number).FirstOrDefault(g => g.ConfirmBy is null) ?? RulesetGeneration.None;

    /// <summary>Refuses to confirm what does not wait for it.</summary>
    /// <exception cref="RulesetRefusedException">It does not.</exception>
    public static void CheckWaits(RulesetGeneration current, ulong generation)
    {
        if (current.Number != generation || current.ConfirmBy is null)
        {
            throw new RulesetRefusedException(RulesetRefusal.NotWaiting,
                $"generation {generation} does not wait to be confirmed; generation {current.Number} is in force");
        }
    }

    /// <summary>A generation with its rules.</summary>
    /// <exception cref="RulesetStoreException">It cannot be read, or this version does not understand its rules any more.</exception>
    public static InForce Load(RulesetStore store, RulesetGeneration generation) => Understand(generation, store.Read(generation));

    /// <summary>A generation with its rules, understood.</summary>
    /// <exception cref="RulesetStoreException">This version does not understand them.</exception>
    public static InForce Understand(RulesetGeneration generation, RulesetTexts texts)
    {
        var (rules, errors) = CheckedRuleset.Read(texts);
        return rules is not null
            ? new InForce(generation, rules)
            : throw new RulesetStoreException(
                $"generation {generation.Number} has rules that this version does not understand:\n{string.Join('\n', errors.Select(e => e.Format()))}");
    }

    /// <summary>A generation by its number.</summary>
    /// <exception cref="RulesetRefusedException">There is none, or it cannot be read.</exception>
    public static InForce Read(RulesetStore store, InForce current, ulong number)
    {
        if (number == current.Generation.Number) return current;
        var found = store.Find(number)
            ?? throw new RulesetRefusedException(RulesetRefusal.NotFound, $"there is no generation {number}; generation {current.Generation.Number} is in force");
        return Guard(() => Load(store, found));
    }

    /// <summary>Uses the disk.</summary>
    /// <exception cref="RulesetRefusedException">It refuses.</exception>
    public static T Guard<T>(Func<T> useDisk)
    {
        try
        {
            return useDisk();
        }
        catch (RulesetStoreException e)
        {
            throw new RulesetRefusedException(RulesetRefusal.Disk, e.Message, e);
        }
    }
}

/// <summary>Who wants rules in force, and why, as <see cref="RulesetProposal"/> has it.</summary>
internal readonly record struct RulesetReason(string Author, string Comment, ulong Restores, TimeSpan? ConfirmWithin)
{
    /// <summary>A proposal's.</summary>
    public static RulesetReason Of(RulesetProposal proposal) => new(proposal.Author, proposal.Comment, proposal.Restores, proposal.ConfirmWithin);
}
