namespace FwCluster.Node.Configuration;

/// <summary>A setting, or a file that one names, is wrong. The message is for the person who wrote it.</summary>
public sealed class SettingsException(string message) : Exception(message);
