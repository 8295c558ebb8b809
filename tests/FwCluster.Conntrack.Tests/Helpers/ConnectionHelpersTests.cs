using FwCluster.Conntrack.Helpers;

namespace FwCluster.Conntrack.Tests.Helpers;

/// <summary>Lists of helpers as a person writes them.</summary>
public sealed class ConnectionHelpersTests
{
    [Theory]
    [InlineData("none", "")]
    [InlineData(" none ", "")]
    [InlineData("ftp", "ftp:21")]
    [InlineData("ftp,tftp", "ftp:21 tftp:69")]
    [InlineData(" tftp , ftp ", "tftp:69 ftp:21")]
    [InlineData("ftp=21,2121", "ftp:21,2121")]
    [InlineData("ftp=2121,tftp", "ftp:2121 tftp:69")]
    [InlineData("ftp = 21, 2121 ,65535,tftp=6969", "ftp:21,2121,65535 tftp:6969")]
    public void List_makes_helpers(string list, string made)
    {
        Assert.True(ConnectionHelpers.TryCreate(list, out var helpers, out var error), error);
        Assert.Equal(made, string.Join(' ', helpers.Select(helper => $"{helper.Name}:{string.Join(',', helper.Ports)}")));
    }

    [Theory]
    [InlineData("", "column 1: a helper's name is missing; known are ftp, tftp, or 'none' alone")]
    [InlineData("ftp,", "column 5: a helper's name is missing; known are ftp, tftp, or 'none' alone")]
    [InlineData("ftp, sip", "column 6: there is no helper 'sip'; known are ftp, tftp, or 'none' alone")]
    [InlineData("FTP", "column 1: there is no helper 'FTP'; known are ftp, tftp, or 'none' alone")]
    [InlineData("ftp,21", "column 5: there is no helper '21'; known are ftp, tftp, or 'none' alone")]
    [InlineData("ftp,none", "column 5: 'none' stands alone, or not at all")]
    [InlineData("ftp,ftp", "column 5: helper 'ftp' is there already")]
    [InlineData("ftp=0", "column 5: '0' is no port; a number from 1 to 65535 is")]
    [InlineData("ftp=21,65536", "column 8: '65536' is no port; a number from 1 to 65535 is")]
    [InlineData("ftp= x", "column 6: 'x' is no port; a number from 1 to 65535 is")]
    [InlineData("ftp=", "column 5: '' is no port; a number from 1 to 65535 is")]
    [InlineData("ftp=21,21", "column 8: port 21 is there already")]
    public void Mistake_is_explained(string list, string message)
    {
        Assert.False(ConnectionHelpers.TryCreate(list, out var helpers, out var error));
        Assert.Null(helpers);
        Assert.Equal(message, error);
    }
}
