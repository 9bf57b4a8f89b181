package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass/wire"
)

// Folders returns the folders inside the parent, or at the root for "".
func (c *Client) Folders(ctx context.Context, parentUID string) ([]wire.FolderHit, error) {
	query := url.Values{}
	if parentUID != "" {
		query.Set("parentUid", parentUID)
	}
	return pages(1, query, func(q url.Values) ([]wire.FolderHit, error) {
		return call[[]wire.FolderHit](ctx, c, http.MethodGet, "/api/folders?"+q.Encode(), nil)
	})
}

// Folder returns the folder with that uid.
func (c *Client) Folder(ctx context.Context, uid string) (wire.Folder, error) {
	return call[wire.Folder](ctx, c, http.MethodGet, "/api/folders/"+segment(uid), nil)
}

// CreateFolder creates a folder.
func (c *Client) CreateFolder(ctx context.Context, in wire.CreateFolder) (wire.Folder, error) {
	return call[wire.Folder](ctx, c, http.MethodPost, "/api/folders", in)
}

// DeleteFolder removes a folder and everything in it.
func (c *Client) DeleteFolder(ctx context.Context, uid string) (wire.DeletedFolder, error) {
	return call[wire.DeletedFolder](ctx, c, http.MethodDelete, "/api/folders/"+segment(uid), nil)
}
