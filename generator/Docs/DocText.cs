namespace Native.LibUsb.Generator.Docs;

/// <summary>Represents the documentation of one name. Texts are XML in which each run of white space is one space.</summary>
internal sealed class DocText
{
    public string? Summary { get; set; }

    public string? Returns { get; set; }

    public string? Remarks { get; set; }

    /// <summary>Gets the texts of the parameters, fields or members, by name.</summary>
    public Dictionary<string, string> Parts { get; } = [];
}
