namespace Native.LibUsb.Generator.Docs;

/// <summary>
/// Represents the documentation texts of one declaration. The texts are XML. Each sequence of white space in a text is replaced by one space.
/// </summary>
internal sealed class DocText
{
    public string? Summary { get; set; }

    public string? Returns { get; set; }

    public string? Remarks { get; set; }

    /// <summary>Gets the texts of the parameters, fields or members, by name.</summary>
    public Dictionary<string, string> Parts { get; } = [];
}
