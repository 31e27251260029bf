namespace Native.LibUsb.Generator.Docs;

/// <summary>
/// Represents the documentation texts of one declaration. The texts are XML, and all white space in them consists of single spaces.
/// </summary>
internal sealed class DocText
{
    public string? Summary { get; set; }

    public string? Returns { get; set; }

    public string? Remarks { get; set; }

    /// <summary>Gets the texts of the parameters, fields or members, by name.</summary>
    public Dictionary<string, string> Parts { get; } = [];
}
