namespace Native.LibUsb.Generator.Docs;

/// <summary>Represents the documentation of one name. Texts are XML, with their white space folded.</summary>
internal sealed class DocText
{
    public string? Summary { get; set; }

    public string? Returns { get; set; }

    public string? Remarks { get; set; }

    /// <summary>Parameters, fields or members, by name.</summary>
    public Dictionary<string, string> Parts { get; } = [];
}
