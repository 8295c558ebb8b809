namespace FwCluster.Rules.Text;

/// <summary>The text of a rule file or of a set file.</summary>
/// <param name="Name">What messages call it: the file's path.</param>
/// <param name="Text">What is in it.</param>
public sealed record RuleText(string Name, string Text);
