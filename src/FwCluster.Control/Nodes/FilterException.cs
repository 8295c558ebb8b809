namespace FwCluster.Control.Nodes;

/// <summary>A field of a filter is wrong. The message names it and says what would be right.</summary>
/// <param name="message">The message.</param>
public sealed class FilterException(string message) : Exception(message);
