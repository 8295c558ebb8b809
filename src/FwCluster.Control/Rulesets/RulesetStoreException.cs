namespace FwCluster.Control.Rulesets;

/// <summary>The folder of generations cannot be used, or what is in it is not what was applied. The message is for people.</summary>
public sealed class RulesetStoreException : Exception
{
    /// <summary>Makes an exception without a message.</summary>
    public RulesetStoreException()
    {
    }

    /// <summary>Makes an exception.</summary>
    public RulesetStoreException(string message) : base(message)
    {
    }

    /// <summary>Makes an exception that another one is the reason of.</summary>
    public RulesetStoreException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
